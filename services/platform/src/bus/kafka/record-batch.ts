import type { CompressionTypes as CompressionType } from 'kafkajs';
import { compress } from './compression.ts';
import { CompressionTypes, crc32c } from './internals.ts';

/** What one producer appends to one partition at once. */
export interface Batch {
  readonly records: readonly { readonly key?: string; readonly value: Buffer | null }[];
  /** Milliseconds: of all of them. */
  readonly timestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the first one, by which the broker knows a repeat. */
  readonly sequence: number;
  readonly isTransactional: boolean;
  readonly compression: CompressionType;
}

/** Less is sent as it is: compressing it costs more than it saves. */
const WORTH_BYTES = 2 * 1024;
/** Where what stands, in bytes: https://kafka.apache.org/documentation/#recordbatch. */
const AT = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastDelta: 23,
  firstTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  sequence: 53,
  count: 57,
  records: 61,
} as const;
const MAGIC = 2;
const TRANSACTIONAL = 16;
/** Five varints of five bytes, and two bytes that are always zero. */
const MOST_OVERHEAD = 27;

/** A record batch of version 2, as a broker keeps it. */
export async function encodeBatch(batch: Batch): Promise<Buffer> {
  const { records, producerId, producerEpoch, sequence, isTransactional } = batch;
  const opened = Buffer.allocUnsafe(AT.records + boundOf(records));
  const end = writeRecords(opened, records);
  const compression = end - AT.records < WORTH_BYTES ? CompressionTypes.None : batch.compression;
  const bytes = await withRecords(opened.subarray(0, end), compression);
  bytes.fill(0, 0, AT.records);
  bytes.writeInt32BE(bytes.length - AT.length - 4, AT.length);
  bytes.writeInt8(MAGIC, AT.magic);
  bytes.writeInt16BE(compression | (isTransactional ? TRANSACTIONAL : 0), AT.attributes);
  bytes.writeInt32BE(records.length - 1, AT.lastDelta);
  bytes.writeBigInt64BE(BigInt(batch.timestamp), AT.firstTimestamp);
  bytes.writeBigInt64BE(BigInt(batch.timestamp), AT.maxTimestamp);
  bytes.writeBigInt64BE(producerId, AT.producerId);
  bytes.writeInt16BE(producerEpoch, AT.producerEpoch);
  bytes.writeInt32BE(sequence, AT.sequence);
  bytes.writeInt32BE(records.length, AT.count);
  bytes.writeUInt32BE(crc32c(bytes.subarray(AT.attributes)), AT.crc);
  return bytes;
}

async function withRecords(opened: Buffer, compression: CompressionType): Promise<Buffer> {
  if (compression === CompressionTypes.None) return opened;
  const head = opened.subarray(0, AT.records);
  return Buffer.concat([head, await compress(compression, opened.subarray(AT.records))]);
}

function boundOf(records: Batch['records']): number {
  let bytes = 0;
  // A character has three bytes at most.
  for (const { key = '', value } of records) bytes += MOST_OVERHEAD + key.length * 3 + (value?.length ?? 0);
  return bytes;
}

/** @returns the end */
function writeRecords(into: Buffer, records: Batch['records']): number {
  let at: number = AT.records;
  for (const [index, { key, value }] of records.entries()) {
    const keyBytes = key === undefined ? 0 : Buffer.byteLength(key);
    const valueBytes = value?.length ?? 0;
    const keyLength = key === undefined ? -1 : keyBytes;
    const valueLength = value === null ? -1 : valueBytes;
    // Attributes, timestamp (that of the batch) and headers take one byte each, zero.
    const length = 3 + sizeOf(index) + sizeOf(keyLength) + keyBytes + sizeOf(valueLength) + valueBytes;
    at = writeVarint(into, at, length);
    into[at] = 0;
    into[at + 1] = 0;
    at = writeVarint(into, at + 2, index);
    at = writeVarint(into, at, keyLength);
    if (key !== undefined) at += into.write(key, at);
    at = writeVarint(into, at, valueLength);
    if (value !== null) at += value.copy(into, at);
    into[at] = 0;
    at += 1;
  }
  return at;
}

/** Small numbers, -1 among them, take one byte. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function sizeOf(value: number): number {
  const bits = 32 - Math.clz32(zigzag(value));
  return Math.max(1, Math.ceil(bits / 7));
}

function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = zigzag(value);
  let next = at;
  while (rest > 0x7f) {
    into[next] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
    next += 1;
  }
  into[next] = rest;
  return next + 1;
}
