import { CHAIN_START, type LedgerPayload, ledgerDigest, nextHead } from '@eyrie/schemas/ledger-chain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChainCheck, type ChainLink } from './chain-check.ts';

const payload = (n: number) => ({ intent_key: `i${n}`, version: 1, detail: `line ${n}`, at: n }) as LedgerPayload;

function ledger(count: number): { links: ChainLink[]; head: { seq: number; chain: string } } {
  let head = CHAIN_START;
  const links: ChainLink[] = [];
  for (let n = 1; n <= count; n += 1) {
    const digest = ledgerDigest(payload(n));
    head = nextHead(head, digest);
    links.push({ ...head, digest, intent_key: `i${n}`, version: 1, payload: payload(n) });
  }
  return { links, head };
}

function verify(links: readonly ChainLink[], head: { seq: number; chain: string }) {
  const check = new ChainCheck(head);
  for (const link of links) {
    const broken = check.take(link);
    if (broken !== undefined) return broken;
  }
  return check.end();
}

const COUNT = 12;
const place = fc.integer({ min: 0, max: COUNT - 1 });

describe('the chain of a ledger', () => {
  const { links, head } = ledger(COUNT);

  it('holds for lines as they were written, also without those that went with time, or were erased', () => {
    fc.assert(
      fc.property(place, fc.array(place), (from, erased) => {
        const held = links.slice(from).map((link, i) => {
          const { payload: _, ...kept } = link;
          return erased.includes(i) ? kept : link;
        });
        expect(verify(held, head)).toBeUndefined();
      }),
    );
  });

  it('finds an edited line', () => {
    fc.assert(
      fc.property(place, (at) => {
        const edited = links.with(at, { ...(links[at] as ChainLink), payload: { ...payload(at + 1), detail: 'x' } });
        expect(verify(edited, head)).toMatchObject({ seq: at + 1, problem: 'changed' });
      }),
    );
  });

  it('finds an edited line whose digest, or chain, was made to fit', () => {
    const one = links[5] as ChainLink;
    const other = { ...payload(6), detail: 'x' };
    const digest = ledgerDigest(other);
    expect(verify(links.with(5, { ...one, payload: other, digest }), head)).toMatchObject({ seq: 6 });
    const { chain } = nextHead(links[4] as ChainLink, digest);
    expect(verify(links.with(5, { ...one, payload: other, digest, chain }), head)).toMatchObject({ seq: 7 });
  });

  it('finds a chain written anew from some line on: its head is another', () => {
    let at: { seq: number; chain: string } = links[5] as ChainLink;
    const anew = links.slice(6).map((link) => {
      const changed = { ...(link.payload as LedgerPayload), detail: 'x' };
      const digest = ledgerDigest(changed);
      at = nextHead(at, digest);
      return { ...link, ...at, digest, payload: changed };
    });
    expect(verify([...links.slice(0, 6), ...anew], head)).toMatchObject({ seq: COUNT, problem: 'changed' });
  });

  it('finds a line that was taken away, one that stands twice, and two that changed places', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: COUNT - 2 }), (at) => {
        expect(verify(links.toSpliced(at, 1), head)).toMatchObject({ seq: at + 1, problem: 'missing' });
        const twice = links.toSpliced(at, 0, links[at - 1] as ChainLink);
        expect(verify(twice, head)).toMatchObject({ seq: at, problem: 'twice' });
        const swapped = links.with(at, links[at + 1] as ChainLink).with(at + 1, links[at] as ChainLink);
        expect(verify(swapped, head)).toMatchObject({ seq: at + 1 });
      }),
    );
  });

  it('finds an end that was cut off', () => {
    fc.assert(
      fc.property(place, (at) => {
        expect(verify(links.slice(0, at), head)).toMatchObject({ seq: at === 0 ? 1 : at + 1, problem: 'cut_off' });
      }),
    );
  });
});
