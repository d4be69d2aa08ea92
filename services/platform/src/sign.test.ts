import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSigner, openSealed } from './sign.ts';

const runs = 100 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const key = Buffer.alloc(32, 7);
const signer = createSigner(key);

/** As anybody without this code would seal. */
function sealed(by: Uint8Array, content: string): Buffer {
  const mac = createHmac('sha256', by).update(content).digest('base64url');
  return Buffer.from(`${content},"mac":"${mac}"}`);
}

describe('signer', () => {
  it('seals any record so that it reads back as it was, with its mac last', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const record = { ...body, v: 1 };
        const value = signer.seal(record);
        expect(signer.isSealed(value)).toBe(true);
        const { mac: _, ...expected } = JSON.parse(JSON.stringify(record));
        const read = JSON.parse(value.toString()) as { mac: string };
        const { mac, ...rest } = read;
        expect(rest).toEqual(expected);
        expect(mac).toMatch(/^[\w-]{43}$/);
        expect(
          Object.keys(read)
            .filter((name) => !/^\d+$/.test(name))
            .at(-1),
        ).toBe('mac');
      }),
      { numRuns: runs },
    );
  });

  it('is the HMAC of RFC 2104 over the bytes before it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 3000 }),
        (by, text) => {
          const value = createSigner(Buffer.from(by)).seal({ v: 1, text });
          expect(value).toEqual(sealed(by, JSON.stringify({ v: 1, text }).slice(0, -1)));
        },
      ),
      { numRuns: runs },
    );
    const record = { v: 1, text: 'long'.repeat(500_000) };
    const long = signer.seal(record);
    expect(long.equals(sealed(key, JSON.stringify(record).slice(0, -1)))).toBe(true);
    expect(signer.isSealed(long)).toBe(true);
  });

  it('refuses a record with any byte changed, added or cut off', () => {
    const value = signer.seal({ v: 1, tenant: 'a', body: { list: [1, { deep: 'x' }] } });
    for (let at = 0; at < value.length; at += 1) {
      for (const bit of [1, 4, 32]) {
        const changed = Buffer.from(value);
        changed[at] = (changed[at] ?? 0) ^ bit;
        expect(signer.isSealed(changed)).toBe(false);
      }
      expect(signer.isSealed(value.subarray(0, at))).toBe(false);
    }
    expect(signer.isSealed(Buffer.concat([value, Buffer.from(' ')]))).toBe(false);
    expect(signer.isSealed(Buffer.concat([Buffer.from(' '), value]))).toBe(false);
    expect(signer.isSealed(value)).toBe(true);
  });

  it('replaces a mac that the record carries', () => {
    const record = { v: 1, a: 2 };
    expect(signer.seal({ ...record, mac: 'x' })).toEqual(signer.seal(record));
  });

  it.each([undefined, '', 'short', 42, null, 'A'.repeat(43)])('refuses the mac %j', (mac) => {
    expect(signer.isSealed(Buffer.from(JSON.stringify({ v: 1, mac })))).toBe(false);
  });

  it('refuses a record of another key, and a short key', () => {
    expect(signer.isSealed(createSigner(Buffer.alloc(32, 8)).seal({ v: 1 }))).toBe(false);
    expect(() => createSigner(Buffer.alloc(16))).toThrow(RangeError);
  });

  it('opens what it sealed, and says why it refuses the rest', () => {
    expect(openSealed(signer, signer.seal({ v: 1 }), 1)).toMatchObject({ ok: true, record: { v: 1 } });
    const refusals = [
      ['{"v":1', 'unreadable'],
      ['null', 'unreadable'],
      ['7', 'unreadable'],
      ['', 'unreadable'],
      ['{"v":1}', 'bad_signature'],
      ['{}', 'bad_signature'],
      ['[]', 'bad_signature'],
      ['{"v":2}', 'newer_format'],
    ] as const;
    for (const [text, reason] of refusals) {
      expect(openSealed(signer, Buffer.from(text), 1)).toEqual({ ok: false, reason });
    }
    expect(openSealed(signer, signer.seal({ v: 2 }), 1)).toEqual({ ok: false, reason: 'newer_format' });
  });
});
