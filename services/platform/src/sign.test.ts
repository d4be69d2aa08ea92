import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSigner } from './sign.ts';

const runs = 100 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const signer = createSigner(Buffer.alloc(32, 7));

describe('signer', () => {
  it('accepts its own record after a trip through JSON, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
        const { mac: _, ...record } = body;
        const mac = signer.sign(record);
        const read = JSON.parse(JSON.stringify({ mac, ...record }));
        const reversed = Object.fromEntries(Object.entries(read).reverse());
        expect(signer.verify(read)).toBe(true);
        expect(signer.verify(reversed)).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  it('is the HMAC of RFC 2104', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 3000 }),
        (key, text) => {
          const expected = createHmac('sha256', key).update(JSON.stringify({ text })).digest('base64url');
          expect(createSigner(Buffer.from(key)).sign({ text })).toBe(expected);
        },
      ),
      { numRuns: runs },
    );
    const text = 'long'.repeat(500_000);
    const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(JSON.stringify({ text })).digest('base64url');
    expect(signer.sign({ text })).toBe(expected);
  });

  it('refuses a record with any leaf changed', () => {
    const record = { v: 1, tenant: 'a', body: { list: [1, { deep: 'x' }] } };
    const mac = signer.sign(record);
    expect(signer.verify({ ...record, mac })).toBe(true);
    expect(signer.verify({ ...record, tenant: 'b', mac })).toBe(false);
    expect(signer.verify({ ...record, body: { list: [1, { deep: 'y' }] }, mac })).toBe(false);
    expect(signer.verify({ ...record, more: null, mac })).toBe(false);
  });

  it('remembers no wrong order: keys of equal count, first and last, but others between', () => {
    const expected = (record: object) =>
      createHmac('sha256', Buffer.alloc(32, 7)).update(JSON.stringify(record)).digest('base64url');
    for (let round = 0; round < 2; round += 1) {
      expect(signer.sign({ a: 1, y: 2, z: 3 })).toBe(expected({ a: 1, y: 2, z: 3 }));
      expect(signer.sign({ a: 1, b: 2, z: 3 })).toBe(expected({ a: 1, b: 2, z: 3 }));
      expect(signer.sign({})).toBe(expected({}));
    }
  });

  it('leaves out what JSON leaves out', () => {
    expect(signer.sign({ a: 1, b: undefined })).toBe(signer.sign({ a: 1 }));
  });

  it.each([undefined, '', 'short', 42, null])('refuses the mac %j', (mac) => {
    expect(signer.verify({ v: 1, mac })).toBe(false);
  });

  it('refuses a record of another key, and a short key', () => {
    const record = { v: 1 };
    const mac = createSigner(Buffer.alloc(32, 8)).sign(record);
    expect(signer.verify({ ...record, mac })).toBe(false);
    expect(() => createSigner(Buffer.alloc(16))).toThrow(RangeError);
  });
});
