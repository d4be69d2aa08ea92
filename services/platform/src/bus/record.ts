import type { TopicName } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import type { BusRecord } from './bus.ts';

/**
 * A stored record: format (1 byte), milliseconds (float64), bytes of all records before it in its partition (float64),
 * key length (uint16, NO_KEY for none), key, value. The running sum gives the size of any stretch of a log from its
 * two ends. One scratch buffer serves all writes, because the engine copies before `put` returns.
 */
const FORMAT = 1;
const HEADER_BYTES = 19;
const NO_KEY = 0xffff;

let scratch = Buffer.alloc(512 * 1024);

/** The bytes to store: valid until the next call. */
export function encodeRecord(timestamp: number, before: number, key: string | undefined, value: Buffer): Buffer {
  const keyBytes = key === undefined ? 0 : Buffer.byteLength(key);
  const length = HEADER_BYTES + keyBytes + value.length;
  if (length > scratch.length) scratch = Buffer.alloc(length * 2);
  scratch[0] = FORMAT;
  scratch.writeDoubleBE(timestamp, 1);
  scratch.writeDoubleBE(before, 9);
  scratch.writeUInt16BE(key === undefined ? NO_KEY : keyBytes, 17);
  if (key !== undefined) scratch.write(key, HEADER_BYTES, 'utf8');
  value.copy(scratch, HEADER_BYTES + keyBytes);
  return scratch.subarray(0, length);
}

export interface StoredRecord {
  readonly record: BusRecord;
  /** Bytes of all records before it in its partition. */
  readonly before: number;
}

/** @throws AppError EYRIE_DATA_DIR_NEWER */
export function decodeRecord(topic: TopicName, partition: number, offset: number, stored: Buffer): StoredRecord {
  if (stored[0] !== FORMAT) {
    throw new AppError('EYRIE_DATA_DIR_NEWER', `${topic}-${partition} offset ${offset}: record format ${stored[0]}`);
  }
  const timestamp = stored.readDoubleBE(1);
  const before = stored.readDoubleBE(9);
  const keyBytes = stored.readUInt16BE(17);
  if (keyBytes === NO_KEY) {
    return { record: { topic, partition, offset, timestamp, value: stored.subarray(HEADER_BYTES) }, before };
  }
  const end = HEADER_BYTES + keyBytes;
  const key = stored.toString('utf8', HEADER_BYTES, end);
  return { record: { topic, partition, offset, timestamp, key, value: stored.subarray(end) }, before };
}

/** What a record counts against the byte bounds. */
export function recordBytes(key: string | undefined, value: Buffer): number {
  return HEADER_BYTES + (key === undefined ? 0 : key.length) + value.length;
}
