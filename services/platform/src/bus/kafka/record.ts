import type { TopicName } from '@eyrie/schemas';
import type { BusRecord } from '../bus.ts';
import type { FetchedRecord } from './batches.ts';

const EMPTY = Buffer.alloc(0);

/** A tombstone is an empty value to our readers. */
export function toRecord(topic: TopicName, partition: number, fetched: FetchedRecord): BusRecord {
  const { offset, timestamp, key, value } = fetched;
  return {
    topic,
    partition,
    offset,
    timestamp,
    ...(key !== null && { key: key.toString('utf8') }),
    value: value ?? EMPTY,
  };
}
