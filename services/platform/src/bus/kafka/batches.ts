import { isTooLarge } from './compression.ts';
import { DecoderClass, decodeRecordBatch, type RecordBatch } from './internals.ts';

export interface FetchedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordBatch['records'][number]['headers'];
}

/** A batch that cannot be read. */
export interface Refused {
  readonly error: unknown;
  /** It opens to more than a process should hold. */
  readonly isTooLarge: boolean;
  /** As it lies there. */
  readonly bytes: Buffer;
}

/** A step that was given up, from its first record on. */
export interface Aborted {
  readonly producerId: string;
  readonly firstOffset: number;
}

/** Type in the key of a control record. */
const ABORT = 0;

/** As many batches as open to `maxOpenedBytes`, the last one over it: a few bytes sent may open to a great many. */
export async function decodeBatches(bytes: Buffer, maxOpenedBytes: number) {
  const batches: Batch[] = [];
  let at = 0;
  let openedBytes = 0;
  for (; at + BATCH_HEADER <= bytes.length; at += lengthOf(bytes.subarray(at))) {
    if (openedBytes >= maxOpenedBytes && batches.length > 0) break;
    const rest = bytes.subarray(at);
    try {
      if ((rest[MAGIC_AT] ?? 0) < MAGIC) throw new RangeError('a batch in a format from before Kafka 0.11');
      const batch = await decodeRecordBatch(new DecoderClass(rest));
      batches.push(batch);
      for (const { key, value } of batch.records) openedBytes += (key?.length ?? 0) + (value?.length ?? 0);
    } catch (error) {
      if (error instanceof Error && error.name === 'KafkaJSPartialMessageError') break;
      const refused = { error, isTooLarge: isTooLarge(error), bytes: rest.subarray(0, lengthOf(rest)) };
      batches.push({ ...headerOf(rest), records: [], refused });
    }
  }
  return { batches, closedBytes: at, openedBytes };
}

interface Batch extends RecordBatch {
  readonly refused?: Refused;
}

/** Where what stands in the header of a batch. */
const BATCH_HEADER = 61;
const LENGTH_AT = 8;
const LENGTH_END = 12;
const DELTA_AT = 23;
const MAGIC_AT = 16;
const MAGIC = 2;

function lengthOf(batch: Buffer): number {
  return LENGTH_END + batch.readUInt32BE(LENGTH_AT);
}

function headerOf(batch: Buffer): Omit<RecordBatch, 'records'> {
  return {
    firstOffset: batch.readBigInt64BE(0).toString(),
    // The older formats have no such field: their offset is that of the last record.
    lastOffsetDelta: (batch[MAGIC_AT] ?? 0) < MAGIC ? 0 : batch.readInt32BE(DELTA_AT),
    producerId: '',
    inTransaction: false,
    isControlBatch: false,
  };
}

/** What is left when the records of aborted steps and the markers are taken out. */
export function committed(batches: readonly RecordBatch[], aborted: readonly Aborted[]): FetchedRecord[] {
  const coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const active = new Set<string>();
  const records: FetchedRecord[] = [];
  for (const batch of batches) {
    for (let one = coming[0]; one !== undefined && one.firstOffset <= lastOffset(batch); one = coming[0]) {
      active.add(one.producerId);
      coming.shift();
    }
    if (batch.isControlBatch) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) active.delete(batch.producerId);
    } else if (!batch.inTransaction || !active.has(batch.producerId)) {
      for (const { offset, timestamp, key, value, headers } of batch.records) {
        records.push({ offset: Number(offset), timestamp: Number(timestamp), key, value, headers });
      }
    }
  }
  return records;
}

export function lastOffset(batch: RecordBatch): number {
  return Number(batch.firstOffset) + batch.lastOffsetDelta;
}
