import type { Appended, Membership, Output } from './bus.ts';

/** Topics of other programs on the cluster our own ones lie on, read as a group. */
export interface ForeignTopics {
  /** Those of the names that are no topics there. @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID */
  missing(topics: readonly string[]): Promise<readonly string[]>;
  /** What our own topics begin with. */
  readonly prefix: string;
  /** Joins a group. `run` is called for each partition assigned, those too that the topic is given later. */
  join(spec: ForeignSpec, run: (assigned: ForeignAssigned, signal: AbortSignal) => Promise<void>): Membership;
}

export interface ForeignSpec {
  readonly group: string;
  /** As the cluster names it. */
  readonly topic: string;
  /** Where a group that has never read the topic begins; partitions added later are read from their first record. */
  readonly start: 'earliest' | 'latest';
}

export interface ForeignRecord {
  readonly offset: number;
  /** Milliseconds: when its producer, or the broker, says it was written. */
  readonly timestamp: number;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | undefined>>;
}

/** Records that cannot be read: their batch is broken, opens to more than its bound, or has a format of old. */
export interface UnreadableRecords {
  readonly first: number;
  readonly last: number;
  readonly message: string;
  /** As they lie there. */
  readonly bytes: Buffer;
}

export interface ForeignBatch {
  readonly records: readonly ForeignRecord[];
  readonly unreadable: readonly UnreadableRecords[];
  /** The position behind both. */
  readonly next: number;
  /** The end of the partition as the broker told it last. */
  readonly end: number;
}

/** One partition of such a topic, owned until the signal aborts. */
export interface ForeignAssigned {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** What follows the last batch, at most `maxBytes` (at least one record); waits up to `maxWaitMs` for it. */
  poll(options: { readonly maxBytes: number; readonly maxWaitMs: number }): Promise<ForeignBatch>;
  /**
   * Makes the position and the outputs visible together or not at all, durably.
   * @throws AppError EYRIE_FENCED when the partition has another owner; any throw means: start anew from the committed state
   */
  transact(step: { readonly next: number; readonly outputs: readonly Output[] }): Promise<readonly Appended[]>;
}
