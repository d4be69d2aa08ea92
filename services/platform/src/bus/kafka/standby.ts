import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import type { Logger } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { FetchedRecord } from './batches.ts';
import type { Client } from './client.ts';
import { Fetcher, isOutOfRange } from './fetcher.ts';
import type { Names } from './names.ts';

/** The state of a partition as far as its changelog was followed: the tail from `next` on is still to be read. */
export interface Followed {
  readonly state: Map<string, Buffer>;
  readonly next: number;
}

interface StandbyOptions {
  readonly client: Client;
  readonly names: Names;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly group: string;
  /** The changelog. */
  readonly topic: TopicName;
  readonly partitions: number;
  /** For all partitions together. */
  readonly maxBytes: number;
}

interface Following {
  readonly state: Map<string, Buffer>;
  next: number;
  bytes: number;
  /** Milliseconds: when it was last at the end, or on its way there. */
  at: number;
}

const FOLLOW_MS = 1_000;
const FETCH_BYTES = 1024 * 1024;
/** What an entry takes beside key and value. */
const ENTRY_BYTES = 200;
/** A log forgets what removed a key after a day: what was followed longer ago might keep it for ever. */
const MAX_AGE_MS = 3_600_000;

/**
 * Follows the changelogs of the partitions of a group that others own, so that taking one over asks for the tail alone.
 * It reads committed records only, so nothing in it can be taken back; whoever takes over reads on after the fence.
 */
export class Standby {
  readonly #options: StandbyOptions;
  readonly #fetcher: Fetcher;
  readonly #followed = new Map<number, Following>();
  readonly #owned = new Set<number>();
  /** Those that did not fit. */
  readonly #skipped = new Set<number>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.#fetcher = new Fetcher(options.client, options.clock, options.metrics);
    this.#running = this.#run();
  }

  /** The partition is owned here now: nothing is followed, and what there was goes to the caller. */
  take(partition: number): Followed | undefined {
    const { clock, metrics, group } = this.#options;
    this.#owned.add(partition);
    this.#skipped.delete(partition);
    const found = this.#followed.get(partition);
    this.#followed.delete(partition);
    const isFresh = found !== undefined && found.next > 0 && clock.now() - found.at < MAX_AGE_MS;
    metrics.count('eyrie_bus_restores_total', { group, from: isFresh ? 'standby' : 'log' });
    return isFresh ? found : undefined;
  }

  /** Somebody else's again: followed from the start. */
  giveBack(partition: number): void {
    this.#owned.delete(partition);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#fetcher.close();
    await this.#running;
  }

  /** Never rejects: without it a take-over is slower, no more. */
  async #run(): Promise<void> {
    const { clock, log, group, names, topic, partitions } = this.#options;
    const { signal } = this.#stopping;
    let isOpen = false;
    while (!signal.aborted) {
      try {
        if (!isOpen) await this.#fetcher.open([names.topic(topic)]);
        isOpen = true;
        for (let partition = 0; partition < partitions; partition += 1) await this.#follow(partition);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, group, topic }, 'a changelog is not followed at the moment');
      }
      this.#report();
      await clock.sleep(FOLLOW_MS, signal);
    }
  }

  /** To the end there is now. */
  async #follow(partition: number): Promise<void> {
    const { clock, names, topic } = this.#options;
    const isOurs = () => this.#owned.has(partition) || this.#skipped.has(partition) || this.#stopping.signal.aborted;
    while (!isOurs()) {
      const one = this.#followed.get(partition) ?? { state: new Map(), next: 0, bytes: 0, at: 0 };
      const want = { topic: names.topic(topic), partition, offset: one.next, maxBytes: FETCH_BYTES };
      const [fetched] = await this.#fetcher.fetch([want], 0);
      // Taken meanwhile: it must stay as it was given away.
      if (isOurs() || fetched === undefined) return;
      if (isOutOfRange(fetched)) {
        const { start } = await this.#fetcher.bounds(want.topic, partition);
        if (start <= one.next) return void this.#followed.delete(partition);
        this.#followed.set(partition, { state: new Map(), next: start, bytes: 0, at: clock.now() });
        continue;
      }
      for (const record of fetched.records) apply(one, record);
      const isEnd = fetched.next === one.next;
      one.next = fetched.next;
      one.at = clock.now();
      this.#followed.set(partition, one);
      if (this.#bytes() > this.#options.maxBytes) return this.#skip(partition);
      if (isEnd) return;
    }
  }

  #skip(partition: number): void {
    const { metrics, log, group, maxBytes } = this.#options;
    this.#followed.delete(partition);
    this.#skipped.add(partition);
    metrics.count('eyrie_bound_reached_total', { bound: 'standby_bytes' });
    log.warn({ group, partition, maxBytes }, 'the state of a partition does not fit: it will be restored from the log');
  }

  #bytes(): number {
    return [...this.#followed.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #report(): void {
    const { metrics, group } = this.#options;
    const entries = [...this.#followed.values()].reduce((sum, { state }) => sum + state.size, 0);
    metrics.set('eyrie_bus_standby_entries', { group }, entries);
    metrics.set('eyrie_bus_standby_bytes', { group }, this.#bytes());
  }
}

function apply(one: Following, { key: bytes, value }: FetchedRecord): void {
  const key = bytes?.toString('utf8') ?? '';
  const before = one.state.get(key);
  if (before !== undefined) one.bytes -= sizeOf(key, before);
  if (value === null) {
    one.state.delete(key);
    return;
  }
  // A copy: the record is part of a batch that would be held whole.
  one.state.set(key, Buffer.from(value));
  one.bytes += sizeOf(key, value);
}

function sizeOf(key: string, value: Buffer): number {
  return ENTRY_BYTES + key.length + value.length;
}
