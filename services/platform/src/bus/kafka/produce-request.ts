import type { Broker } from './internals.ts';

/** A record batch for one partition. */
export interface Part {
  /** Kafka's name. */
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

/** What became of a part. */
export interface Acknowledged {
  readonly topic: string;
  readonly partition: number;
  /** Kafka's; 0 is good. */
  readonly errorCode: number;
  /** Of its first record. */
  readonly baseOffset: number;
}

/** Produce version 7, the first that takes every compression: every broker since 2.1. */
const API = { apiKey: 0, apiVersion: 7, apiName: 'Produce' } as const;
/** All replicas in sync. */
const ACKS = -1;
/** How long the leader waits for the replicas. */
const REPLICAS_MS = 30_000;
const NETWORK_MS = 5_000;

/** Sends parts to the broker that leads them. What comes back says of each what became of it; some may be missing. */
export async function produce(
  broker: Broker,
  transactionalId: string | undefined,
  parts: readonly Part[],
): Promise<readonly Acknowledged[]> {
  const buffer = encode(transactionalId, parts);
  const answered = await broker.connectionPool.send({
    // What the library's encoder takes for one of its own.
    request: { ...API, expectResponse: () => true, encode: async () => ({ buf: buffer, buffer }) },
    response: { decode: async (raw: Buffer) => decode(raw), parse: async (data: unknown) => data },
    requestTimeout: REPLICAS_MS + NETWORK_MS,
  });
  return answered as readonly Acknowledged[];
}

function encode(transactionalId: string | undefined, parts: readonly Part[]): Buffer {
  const byTopic = Map.groupBy(parts, ({ topic }) => topic);
  const chunks: Buffer[] = [text(transactionalId), int16(ACKS), int32(REPLICAS_MS), int32(byTopic.size)];
  for (const [topic, own] of byTopic) {
    chunks.push(text(topic), int32(own.length));
    for (const { partition, batch } of own) chunks.push(int32(partition), int32(batch.length), batch);
  }
  return Buffer.concat(chunks);
}

function decode(raw: Buffer): readonly Acknowledged[] {
  const acknowledged: Acknowledged[] = [];
  let at = 4;
  for (let topics = raw.readInt32BE(0); topics > 0; topics -= 1) {
    const end = at + 2 + raw.readInt16BE(at);
    const topic = raw.toString('utf8', at + 2, end);
    at = end + 4;
    for (let partitions = raw.readInt32BE(end); partitions > 0; partitions -= 1) {
      acknowledged.push({
        topic,
        partition: raw.readInt32BE(at),
        errorCode: raw.readInt16BE(at + 4),
        baseOffset: Number(raw.readBigInt64BE(at + 6)),
      });
      // The time of appending and the start of the log follow.
      at += 6 + 3 * 8;
    }
  }
  return acknowledged;
}

/** Absent is a length of -1. */
function text(value: string | undefined): Buffer {
  if (value === undefined) return int16(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}
