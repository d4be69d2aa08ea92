import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverageOfNode, spanOfMonth, sumCoverage } from './coverage.ts';
import { cut, decodeCursor, encodeCursor } from './cursor.ts';
import { present } from './present.ts';
import { decodePosition, encodePosition } from './stream-position.ts';
import { readWhyId } from './why-id.ts';

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;

describe('coverage', () => {
  it('is whole for a node that spoke each minute, and counts its silence as blind', () => {
    expect(coverageOfNode({ watched: 10, first: 0, last: 9 * MINUTE }, 10 * MINUTE).share).toBe(1);
    expect(coverageOfNode({ watched: 10, first: 0, last: 9 * MINUTE }, 40 * MINUTE).share).toBe(0.25);
  });

  it('takes a node that was silent for a day for gone', () => {
    const { node_minutes } = coverageOfNode({ watched: 1, first: 0, last: 0 }, 30 * DAY);
    expect(node_minutes).toBe(24 * 60);
  });

  it('is unknown, not whole, where no node ever spoke', () => {
    expect(sumCoverage([])).toEqual({ watched_minutes: 0, node_minutes: 0, share: null });
  });

  it('knows the ends of a month', () => {
    expect(spanOfMonth('2026-12')).toEqual({ from: Date.UTC(2026, 11) / 1000, to: Date.UTC(2027, 0) / 1000 });
  });
});

describe('cursors and positions', () => {
  it('come back as they went', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (keys) => {
        expect(decodeCursor('list', encodeCursor('list', keys), keys.length)).toEqual(keys);
        expect(decodeCursor('other', encodeCursor('list', keys), keys.length)).toBeUndefined();
        expect(decodeCursor('list', encodeCursor('list', keys), keys.length + 1)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 64 }), (next) => {
        expect(decodePosition(encodePosition({ log: 'log-1', next }))).toEqual({ log: 'log-1', next });
      }),
    );
  });

  it('take no rubbish', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(decodeCursor('list', text, 2)).toBeUndefined();
      }),
    );
  });

  it('cut a page and know whether more follows', () => {
    expect(cut([1, 2, 3], 2)).toEqual({ items: [1, 2], last: 2 });
    expect(cut([1, 2], 2)).toEqual({ items: [1, 2] });
    expect(cut([], 2)).toEqual({ items: [] });
  });
});

describe('what a person may ask why about', () => {
  it.each([
    ['a'.repeat(32), { kind: 'hash', hash: 'a'.repeat(32) }],
    ['0aa57b21-0bd9-4cc8-a1ea-94b0c3ba4d9e', { kind: 'pod_uid', uid: '0aa57b21-0bd9-4cc8-a1ea-94b0c3ba4d9e' }],
    ['shop/cart-7d9f', { kind: 'pod', namespace: 'shop', pod: 'cart-7d9f' }],
    ['prod/shop/web-0', { kind: 'pod', cluster: 'prod', namespace: 'shop', pod: 'web-0' }],
    ['raw/0/12/3', { kind: 'raw', partition: 0, offset: 12, index: 3 }],
    ['raw/0/12', undefined],
    ['', undefined],
    ["x'/*", undefined],
    ['A'.repeat(32), undefined],
  ])('%s', (text, id) => {
    expect(readWhyId(text)).toEqual(id);
  });
});

describe('presenting', () => {
  it('masks text of processes at every depth, and leaves names alone', () => {
    const shown = present(
      {
        command_line: 'secret',
        rule: 'secret',
        samples: [{ command_line: 'secret', time: '1760961600123456789' }],
        at: 0,
      },
      () => '***',
    );
    expect(shown).toEqual({
      command_line: '***',
      rule: 'secret',
      samples: [{ command_line: '***', time: '2025-10-20T12:00:00.123456789Z' }],
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('drops keys that would change what an object is', () => {
    const shown = present(JSON.parse('{"__proto__":{"admin":true},"a":1}'), (text) => text);
    expect([Object.keys(shown), 'admin' in shown]).toEqual([['a'], false]);
  });
});
