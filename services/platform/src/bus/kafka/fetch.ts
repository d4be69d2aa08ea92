import { committed, decodeBatches, type FetchedRecord, lastOffset, type Refused } from './batches.ts';
import { type Broker, type Decoder, DecoderClass, encodeFetch } from './internals.ts';

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

const CONSUMER = -1;
const READ_COMMITTED = 1;
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

function readNumber(decoder: Decoder): number {
  return Number(decoder.readInt64().toString());
}
