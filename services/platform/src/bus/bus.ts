import type { TopicName } from '@eyrie/schemas';
import type { ForeignTopics } from './foreign.ts';

/**
 * The bus port: partitioned logs, groups with positions, keyed state, and one atomic step over all of them.
 * Two adapters keep one contract (`testing/contracts/bus.ts`): the embedded log and Kafka.
 */
export interface Bus {
  /** Random, made with the log and renewed by restore: names a history of offsets. */
  logIdentity(topic: TopicName, partition: number): string;
  partitions(topic: TopicName): number;
  /** The first offset kept and the next offset to be written. */
  bounds(topic: TopicName, partition: number): Promise<{ readonly start: number; readonly end: number }>;

  /**
   * Appends without input positions. Resolves once everything is durable (synced); concurrent calls share one sync.
   * @throws AppError EYRIE_DISK_FULL, EYRIE_BUS_FULL, EYRIE_BUS_UNAVAILABLE (all retryable). The embedded log has
   * appended nothing then; on Kafka that is unknown
   */
  append(outputs: readonly Output[]): Promise<readonly Appended[]>;

  /**
   * For writers that have a queue of their own: waits while the readers of a partition are far behind, a second at most. A
   * hint for speed: `append` takes everything at any time.
   */
  waitForReaders(topic: TopicName, partition: number): Promise<void>;

  /** Joins a group. `run` is called for each partition number assigned and ends when its signal aborts. */
  join(spec: GroupSpec, run: (assigned: Assigned, signal: AbortSignal) => Promise<void>): Membership;
  /** Registered groups and how far they have read. */
  groups(): Promise<readonly GroupPosition[]>;
  /** Forgets an unused group, so that retention may pass it. */
  removeGroup(group: string): Promise<void>;

  /** Records from an offset without a group: streams, tables, `why`. Empty at the end. */
  read(
    topic: TopicName,
    partition: number,
    from: number,
    options?: { maxBytes?: number },
  ): Promise<readonly BusRecord[]>;
  /** Committed state of a changelog topic whose keys start with `prefix`. */
  readState(
    topic: TopicName,
    partition: number,
    prefix: string,
  ): Promise<readonly (readonly [key: string, value: Buffer])[]>;
  /**
   * Without a group, every partition of a topic from an offset of its own on, for as long as the signal lasts: tables, streams.
   * Nothing is given before it has returned.
   * @throws what reading fails with; whoever goes on does so from the last `next`
   */
  follow(topic: TopicName, from: readonly number[], take: TakeFollowed, signal: AbortSignal): Promise<void>;

  /** Only where our topics lie beside those of others. */
  readonly foreign?: ForeignTopics;
  close(): Promise<void>;
}

export interface Output {
  readonly topic: TopicName;
  readonly partition: number;
  readonly key?: string;
  readonly value: Buffer;
  /** What the writer made the value of, for readers that share its memory: an adapter may hand it on, and none stores it. */
  readonly made?: unknown;
}

export interface Appended {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Gets the records of a partition in order, and the offset behind them and behind what no reader gets there. Must not throw.
 */
export type TakeFollowed = (partition: number, records: readonly BusRecord[], next: number) => void;

export interface BusRecord {
  readonly topic: TopicName;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds: when it was written. */
  readonly timestamp: number;
  readonly key?: string;
  readonly value: Buffer;
  /** `Output.made`, where this record never left memory: saves reading `value`, which says the same. Never change it. */
  readonly made?: unknown;
}

export interface GroupSpec {
  readonly group: string;
  /** Topics read together: partition n of each belongs to one owner. */
  readonly inputs: readonly TopicName[];
  /** Changelog topic of the group's state, if it keeps any. */
  readonly state?: TopicName;
}

export interface GroupPosition {
  readonly group: string;
  readonly topic: TopicName;
  readonly partition: number;
  readonly next: number;
  readonly end: number;
}

export interface Membership {
  /** The numbers given to this member, perhaps none; undefined until it is one. */
  partitions(): readonly number[] | undefined;
  /** Rejects when a run fails; resolves after `leave`. */
  readonly done: Promise<void>;
  /** Stops reading, lets running steps end, gives the partitions back. */
  leave(): Promise<void>;
}

/** One partition number of a group, owned until the signal aborts. */
export interface Assigned {
  readonly group: string;
  readonly partition: number;
  /** Committed state, read once before the first record. */
  restore(): AsyncIterable<readonly [key: string, value: Buffer]>;
  /** The next offset of an input, and what the last step noted beside it. */
  position(topic: TopicName): { readonly next: number; readonly note?: string };
  /**
   * Records from the positions on, of all inputs, at most `maxBytes` (at least one record); waits up to `maxWaitMs` for
   * the first, and before it a moment while readers of this group's outputs are behind. Reads ahead of `transact`: each
   * record is given once per assignment.
   */
  poll(options: { readonly maxBytes: number; readonly maxWaitMs: number }): Promise<readonly BusRecord[]>;
  /**
   * Makes positions, state changes and outputs visible together or not at all, durably.
   * @throws AppError EYRIE_FENCED when the partition has another owner; any throw means: start anew from the committed state
   */
  transact(step: Step): Promise<readonly Appended[]>;
}

export interface Step {
  readonly positions: readonly { readonly topic: TopicName; readonly next: number; readonly note?: string }[];
  /** Null removes a key. */
  readonly state?: readonly (readonly [key: string, value: Buffer | null])[];
  readonly outputs?: readonly Output[];
}
