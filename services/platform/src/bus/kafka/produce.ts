import { TOPICS } from '@eyrie/schemas';
import type { CompressionTypes as CompressionType, Message, ProducerBatch, RecordMetadata } from 'kafkajs';
import type { Appended, Output } from '../bus.ts';
import { CompressionTypes } from './internals.ts';
import type { Names } from './names.ts';

export interface Sender {
  sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]>;
}

/** Bytes of one request to one partition: a batch above the topic's bound is repeated by the library without end. */
const BATCH_BYTES = 900_000;
/** What the protocol adds to a record, generously. */
const RECORD_OVERHEAD = 128;
const MAX_KEY = 16_384;
/** Less is sent as it is: compressing it costs more than it saves. */
const WORTH_BYTES = 4 * 1024;
/** All replicas in sync. */
const ACKS = -1;

/** @throws RangeError for a record no topic takes; @returns the bytes of all */
export function checkRecords(
  records: readonly { readonly key?: string; readonly value: Buffer | null }[],
  maxBytes: number,
): number {
  let bytes = 0;
  for (const { key = '', value } of records) {
    if (key.length > MAX_KEY) throw new RangeError(`key of ${key.length} characters: ${key.slice(0, 80)}`);
    const size = sizeOf(key, value);
    if (size > maxBytes) throw new RangeError(`record of ${size} bytes: ${key.slice(0, 80)}`);
    bytes += size;
  }
  return bytes;
}

/** An output as Kafka takes it. An empty value removes a key of a compacted topic: there it is a tombstone. */
export interface Sent extends Omit<Output, 'value' | 'made'> {
  readonly value: Buffer | null;
}

export function toSent({ topic, partition, key, value }: Output): Sent {
  const isTombstone = value.length === 0 && TOPICS[topic].cleanup === 'compact';
  return { topic, partition, ...(key !== undefined && { key }), value: isTombstone ? null : value };
}

/** Sends in order within each partition, in rounds of bounded size; @returns where each went, in the order given. */
export async function sendAll(
  sender: Sender,
  names: Names,
  sent: readonly Sent[],
  { timestamp, compression }: { readonly timestamp: number; readonly compression: CompressionType },
): Promise<readonly Appended[]> {
  const appended: Appended[] = [];
  for (const round of rounds(sent)) {
    const topics = new Map<string, Message[]>();
    for (const { topic, partition, key, value } of round.map(({ one }) => one)) {
      const name = names.topic(topic);
      const messages = topics.get(name) ?? [];
      topics.set(name, messages);
      messages.push({ key: key ?? null, value, partition, timestamp: String(timestamp) });
    }
    const topicMessages = [...topics].map(([topic, messages]) => ({ topic, messages }));
    const next = new Map<string, number>();
    const bytes = round.reduce((sum, { one }) => sum + (one.value?.length ?? 0), 0);
    for (const { topicName, partition, baseOffset } of await sender.sendBatch({
      acks: ACKS,
      compression: bytes < WORTH_BYTES ? CompressionTypes.None : compression,
      topicMessages,
    })) {
      next.set(`${topicName}/${partition}`, Number(baseOffset));
    }
    for (const { one, index } of round) {
      const channel = `${names.topic(one.topic)}/${one.partition}`;
      const offset = next.get(channel);
      if (offset === undefined) throw new Error(`no answer for ${channel}`);
      next.set(channel, offset + 1);
      appended[index] = { topic: one.topic, partition: one.partition, offset };
    }
  }
  return appended;
}

function rounds(sent: readonly Sent[]): { readonly one: Sent; readonly index: number }[][] {
  const made: { one: Sent; index: number }[][] = [];
  const filling = new Map<string, { round: number; bytes: number }>();
  for (const [index, one] of sent.entries()) {
    const channel = `${one.topic}/${one.partition}`;
    const size = sizeOf(one.key ?? '', one.value);
    const place = filling.get(channel) ?? { round: 0, bytes: 0 };
    filling.set(channel, place);
    if (place.bytes > 0 && place.bytes + size > BATCH_BYTES) {
      place.round += 1;
      place.bytes = 0;
    }
    place.bytes += size;
    made[place.round] ??= [];
    made[place.round]?.push({ one, index });
  }
  return made;
}

function sizeOf(key: string, value: Buffer | null): number {
  return key.length * 3 + (value?.length ?? 0) + RECORD_OVERHEAD;
}
