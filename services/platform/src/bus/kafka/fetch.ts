import { isTooLarge } from './compression.ts';
import {
  type Broker,
  type Decoder,
  DecoderClass,
  decodeRecordBatch,
  encodeFetch,
  type RecordBatch,
} from './internals.ts';

export interface Want {
  /** Kafka's name. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** What the broker may send: closed, as it lies there. */
  readonly maxBytes: number;
  /** What may be opened of it; at least one batch is. */
  readonly maxOpenedBytes: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's; 0 is good. */
  readonly errorCode: number;
  /** Next offset to be written, and the first one a reader of committed records may not see yet. */
  readonly highWatermark: number;
  readonly lastStable: number;
  /** Where to go on: behind what was given and behind what no reader gets (markers, aborted steps). */
  readonly next: number;
  readonly records: readonly FetchedRecord[];
  /** Bytes of the batches opened, as they lay there and as they are. */
  readonly closedBytes: number;
  readonly openedBytes: number;
  /** Batches that could not be read. */
  readonly unreadable: readonly (Refused & { readonly first: number; readonly last: number })[];
}

interface Refused {
  readonly error: unknown;
  /** It opens to more than a process should hold. */
  readonly isTooLarge: boolean;
  /** As it lies there. */
  readonly bytes: Buffer;
}

export interface FetchedRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordBatch['records'][number]['headers'];
}

interface Aborted {
  readonly producerId: string;
  readonly firstOffset: number;
}

const CONSUMER = -1;
const READ_COMMITTED = 1;
/** Type in the key of a control record. */
const ABORT = 0;
const NETWORK_MS = 5_000;
/** The connection of a broker that carries fetches. */
const FETCHING = 1;
const connecting = new WeakMap<Broker, Promise<unknown>>();

/**
 * Committed records of partitions one broker leads. At least one batch of the first partition that has any, however
 * large; waits up to `maxWaitMs` for the first byte.
 */
export async function fetchCommitted(
  broker: Broker,
  wants: readonly Want[],
  options: { readonly maxWaitMs: number; readonly maxBytes: number },
): Promise<readonly Fetched[]> {
  const asked = new Map(wants.map((want) => [`${want.topic}/${want.partition}`, want]));
  await connect(broker);
  const fetched = await broker.connectionPool.send({
    request: encodeFetch({
      replicaId: CONSUMER,
      isolationLevel: READ_COMMITTED,
      maxWaitTime: options.maxWaitMs,
      minBytes: 1,
      maxBytes: options.maxBytes,
      topics: wants.map(({ topic, partition, offset, maxBytes }) => ({
        topic,
        partitions: [{ partition, fetchOffset: String(offset), maxBytes }],
      })),
    }),
    response: { decode: (raw: Buffer) => decode(raw, asked), parse: async (data: unknown) => data },
    requestTimeout: options.maxWaitMs + NETWORK_MS,
  });
  return fetched as readonly Fetched[];
}

/** Once for all who fetch there at the same time. */
async function connect(broker: Broker): Promise<void> {
  const under = connecting.get(broker) ?? broker.connectionPool.getConnection(FETCHING);
  connecting.set(broker, under);
  try {
    await under;
  } finally {
    connecting.delete(broker);
  }
}

async function decode(raw: Buffer, asked: ReadonlyMap<string, Want>): Promise<readonly Fetched[]> {
  const decoder = new DecoderClass(raw);
  decoder.readInt32();
  const failure = decoder.readInt16();
  decoder.readInt32();
  const topics = await decoder.readArrayAsync(async (one) => {
    const topic = one.readString();
    return one.readArrayAsync((partition) => decodePartition(topic, partition, asked));
  });
  return topics.flat().map((one) => (failure === 0 ? one : { ...one, errorCode: failure }));
}

async function decodePartition(topic: string, decoder: Decoder, asked: ReadonlyMap<string, Want>): Promise<Fetched> {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = readNumber(decoder);
  const lastStable = readNumber(decoder);
  readNumber(decoder);
  const aborted = decoder.readArray((one) => ({
    producerId: one.readInt64().toString(),
    firstOffset: readNumber(one),
  }));
  decoder.readInt32();
  const size = decoder.readInt32();
  const { offset = 0, maxOpenedBytes = 0 } = asked.get(`${topic}/${partition}`) ?? {};
  const bytes = size > 0 ? decoder.readBytes(size) : Buffer.alloc(0);
  const { batches, closedBytes, openedBytes } = await decodeBatches(bytes, maxOpenedBytes);
  const last = batches.at(-1);
  return {
    topic,
    partition,
    errorCode,
    highWatermark,
    lastStable,
    next: last === undefined ? offset : Math.max(offset, lastOffset(last) + 1),
    records: committed(batches, aborted).filter((record) => record.offset >= offset),
    closedBytes,
    openedBytes,
    unreadable: batches.flatMap((batch) =>
      batch.refused === undefined || lastOffset(batch) < offset
        ? []
        : [{ first: Number(batch.firstOffset), last: lastOffset(batch), ...batch.refused }],
    ),
  };
}

/** As many batches as open to `maxOpenedBytes`, the last one over it: a few bytes sent may open to a great many. */
async function decodeBatches(bytes: Buffer, maxOpenedBytes: number) {
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
function committed(batches: readonly RecordBatch[], aborted: readonly Aborted[]): FetchedRecord[] {
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

function lastOffset(batch: RecordBatch): number {
  return Number(batch.firstOffset) + batch.lastOffsetDelta;
}

function readNumber(decoder: Decoder): number {
  return Number(decoder.readInt64().toString());
}
