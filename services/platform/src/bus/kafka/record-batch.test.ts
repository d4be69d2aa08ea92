import { env } from 'node:process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CompressionTypes, crc32c, DecoderClass, decodeRecordBatch } from './internals.ts';
import { type Batch, encodeBatch } from './record-batch.ts';

const numRuns = 200 * Number(env['EYRIE_TEST_RUNS'] ?? 1);
const CRC_AT = 17;
const CRC_FROM = 21;

const record = fc.record({
  key: fc.option(fc.string({ unit: 'binary', maxLength: 200 }), { nil: undefined }),
  value: fc.option(
    fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes)),
    { nil: null },
  ),
});
const batch: fc.Arbitrary<Batch> = fc
  .record({
    records: fc.array(record, { minLength: 1, maxLength: 200 }),
    timestamp: fc.nat({ max: 4_000_000_000_000 }),
    producerId: fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n }),
    producerEpoch: fc.nat({ max: 32_767 }),
    sequence: fc.nat({ max: 2_147_483_647 }),
    isTransactional: fc.boolean(),
    compression: fc.constantFrom(CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.ZSTD),
  })
  .map((one) => ({
    ...one,
    records: one.records.map(({ key, value }) => ({ ...(key !== undefined && { key }), value })),
  }));

it('a batch is read back as it was written, whatever it holds', async () => {
  await fc.assert(
    fc.asyncProperty(batch, async (made) => {
      const bytes = await encodeBatch(made);
      expect(bytes.readUInt32BE(CRC_AT)).toBe(crc32c(bytes.subarray(CRC_FROM)));
      const read = await decodeRecordBatch(new DecoderClass(bytes));
      expect(read).toMatchObject({
        firstOffset: '0',
        lastOffsetDelta: made.records.length - 1,
        producerId: String(made.producerId),
        producerEpoch: made.producerEpoch,
        firstSequence: made.sequence,
        inTransaction: made.isTransactional,
        isControlBatch: false,
      });
      expect(read.records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))).toEqual(
        made.records.map(({ key, value }, index) => ({
          offset: String(index),
          timestamp: String(made.timestamp),
          key: key === undefined ? null : Buffer.from(key),
          value,
        })),
      );
    }),
    { numRuns },
  );
});

it('what is short is not compressed', async () => {
  const short = { timestamp: 1, producerId: 1n, producerEpoch: 0, sequence: 0, isTransactional: false };
  const sizeOf = async (bytes: number, compression: number) =>
    (await encodeBatch({ ...short, compression, records: [{ value: Buffer.alloc(bytes) }] })).length;
  expect(await sizeOf(1_000, CompressionTypes.ZSTD)).toBe(await sizeOf(1_000, CompressionTypes.None));
  expect(await sizeOf(3_000, CompressionTypes.ZSTD)).toBeLessThan(200);
});
