import { TOPICS } from '@eyrie/schemas';
import type { Appended, Output } from '../bus.ts';
import type { Names } from './names.ts';
import type { SequencedWriter } from './sequenced-writer.ts';

/** Bytes of one batch, below the bound of every topic. */
const BATCH_BYTES = 900_000;
/** What the protocol adds to a record, generously. */
const RECORD_OVERHEAD = 128;
const MAX_KEY = 16_384;

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
  append: SequencedWriter['append'],
  names: Names,
  sent: readonly Sent[],
  timestamp: number,
): Promise<readonly Appended[]> {
  const appended: Appended[] = [];
  for (const round of rounds(sent)) {
    const portions = [...Map.groupBy(round, ({ one }) => `${one.topic}/${one.partition}`).values()];
    const offsets = await append(
      portions.map(([first, ...rest]) => {
        const { topic, partition } = (first as Placed).one;
        return { topic: names.topic(topic), partition, records: [first as Placed, ...rest].map(({ one }) => one) };
      }),
      timestamp,
    );
    for (const [at, portion] of portions.entries()) {
      for (const [delta, { one, index }] of portion.entries()) {
        appended[index] = { topic: one.topic, partition: one.partition, offset: (offsets[at] ?? Number.NaN) + delta };
      }
    }
  }
  return appended;
}

/** A record and its place among those given. */
interface Placed {
  readonly one: Sent;
  readonly index: number;
}

function rounds(sent: readonly Sent[]): Placed[][] {
  const made: Placed[][] = [];
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
