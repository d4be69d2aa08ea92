import type { TopicName } from '@eyrie/schemas';
import type { Logger } from '../log.ts';
import type { Bus, BusRecord } from './bus.ts';
import { keepFollowing } from './keep-following.ts';

export interface FollowOptions {
  /** Every record in order, partition by partition; null for a tombstone. One it throws for is logged and has no effect. */
  readonly onRecord: (key: string, value: Buffer | null, record: BusRecord) => void;
  readonly log: Logger;
}

export interface FollowedTable {
  /** Resolves when everything that was there at the start has been given; rejects when reading fails before. */
  readonly ready: Promise<void>;
  /** The next offset to be read. */
  position(partition: number): number;
  stop(): Promise<void>;
}

const READ_BYTES = 1024 * 1024;

/** Follows a compacted topic from its beginning, for as long as the process runs. */
export function followTable(bus: Bus, topic: TopicName, options: FollowOptions): FollowedTable {
  const stopping = new AbortController();
  const next = Array.from({ length: bus.partitions(topic) }, () => 0);

  function take(partition: number, records: readonly BusRecord[]): void {
    for (const record of records) {
      next[partition] = record.offset + 1;
      give(record);
    }
  }

  /** Others may write to a topic: a record that nobody expected must keep no role from its start. */
  function give(record: BusRecord): void {
    const { partition, offset, key = '', value } = record;
    try {
      options.onRecord(key, value.length === 0 ? null : value, record);
    } catch (error) {
      options.log.error({ err: error, topic, partition, offset, key }, 'a record of a table has no effect');
    }
  }

  async function catchUp(partition: number): Promise<void> {
    const { end } = await bus.bounds(topic, partition);
    for (;;) {
      const before = next[partition] ?? 0;
      if (before >= end || stopping.signal.aborted) return;
      take(partition, await bus.read(topic, partition, before, { maxBytes: READ_BYTES }));
      // Nothing more below the end: the rest are gaps.
      if (next[partition] === before) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const ready = Promise.all(next.map((_, partition) => catchUp(partition))).then(() => undefined);
  const followed = ready.then(
    () => keepFollowing({ bus, log: options.log }, topic, next, take, stopping.signal),
    () => undefined,
  );
  return {
    ready,
    position: (partition) => next[partition] ?? 0,
    stop: async () => {
      stopping.abort();
      await followed;
    },
  };
}
