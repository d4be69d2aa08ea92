import { env } from 'node:process';
import { type Nanos, nanosOfMs } from '@eyrie/schemas';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowBinaryWriter } from './row-binary.ts';

const numRuns = 300 * Number(env['EYRIE_TEST_RUNS'] ?? 1);

function written(write: (writer: RowBinaryWriter) => void): Buffer {
  const writer = new RowBinaryWriter(8);
  write(writer);
  return Buffer.from(writer.view());
}

/** The format's own words: LEB128 length, then the bytes. */
function textBytes(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  length.push(rest);
  return Buffer.concat([Buffer.from(length), bytes]);
}

function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(value);
  return buffer;
}

it('writes texts of any length and script as UTF-8 with their length in bytes', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (texts) => {
      const expected = Buffer.concat([...texts.map(textBytes), Buffer.from([texts.length]), ...texts.map(textBytes)]);
      const got = written((writer) => {
        for (const value of texts) writer.text(value);
        writer.texts(texts);
      });
      expect(got.equals(expected)).toBe(true);
    }),
    { numRuns },
  );
  for (const length of [0, 39, 40, 41, 127, 128, 16_383, 16_384, 100_000]) {
    for (const unit of ['a', 'é', '🦅']) {
      const value = unit.repeat(length);
      expect(written((writer) => writer.text(value)).equals(textBytes(value))).toBe(true);
    }
  }
});

it('writes bytes as they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const value = Buffer.from(bytes);
      expect(written((writer) => writer.bytesOf(value)).equals(textBytes(value))).toBe(true);
    }),
    { numRuns },
  );
});

it('writes nanoseconds exactly, from 1970 to 2262', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }), (nanos) => {
      const text = String(nanos).padStart(19, '0') as Nanos;
      expect(written((writer) => writer.nanos(text)).equals(int64(nanos))).toBe(true);
    }),
    { numRuns: numRuns * 5 },
  );
  expect(written((writer) => writer.nanos(nanosOfMs(1))).equals(int64(1_000_000n))).toBe(true);
});

it('writes whole numbers in 64 and 32 bits', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer(), fc.nat(), (large, small, positive) => {
      expect(written((writer) => writer.i64(large)).equals(int64(BigInt(large)))).toBe(true);
      expect(written((writer) => writer.i32(small)).readInt32LE()).toBe(small);
      expect(written((writer) => writer.u32(positive)).readUInt32LE()).toBe(positive);
    }),
    { numRuns },
  );
});

it('marks an absent number with one byte', () => {
  expect(written((writer) => writer.optionalI64(undefined))).toEqual(Buffer.from([1]));
  expect(written((writer) => writer.optionalI64(-1))).toEqual(Buffer.concat([Buffer.from([0]), int64(-1n)]));
});

it.each([['😀😀'], [null], [{ length: 2 }], [5], [['a', 5]], [[['a']]]])(
  'a list %j that is none is refused',
  (value) => {
    expect(() => written((writer) => writer.texts(value as never))).toThrow();
  },
);
