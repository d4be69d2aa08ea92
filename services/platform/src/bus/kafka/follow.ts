import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import type { Metrics } from '../../metrics.ts';
import type { TakeFollowed } from '../bus.ts';
import type { Client } from './client.ts';
import type { Fetched } from './fetch.ts';
import { Fetcher, isOutOfRange } from './fetcher.ts';
import { LeaderFetches } from './leader-fetches.ts';
import type { Names } from './names.ts';
import { toRecord } from './record.ts';

interface Place {
  readonly partition: number;
  next: number;
}

interface Options {
  readonly source: Pick<Fetcher, 'fetch' | 'leader' | 'bounds'>;
  readonly names: Names;
  readonly clock: Clock;
  readonly topic: TopicName;
  /** Of each partition, where to begin. */
  readonly from: readonly number[];
  readonly take: TakeFollowed;
  readonly signal: AbortSignal;
}

/** How long a broker holds a fetch when there is nothing. */
const WAIT_MS = 2_000;
/** Bytes of all partitions of a leader together, and of one. */
const FETCH_BYTES = 8 * 1024 * 1024;
const MOST_BYTES = 1024 * 1024;
const LEAST_BYTES = 64 * 1024;
/** The log ends before the place to go on from, as after it was made anew: it may get there. */
const PAUSE_MS = 1_000;

/** Over connections of its own: a fetch that a broker holds would hold up whatever else is asked there. */
export async function followTopic(
  { client, clock, metrics, names }: { client: Client; clock: Clock; metrics: Metrics; names: Names },
  topic: TopicName,
  from: readonly number[],
  take: TakeFollowed,
  signal: AbortSignal,
): Promise<void> {
  const fetcher = new Fetcher(client, clock, metrics);
  const close = () => void fetcher.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    await fetcher.open([names.topic(topic)]);
    await new Following({ source: fetcher, names, clock, topic, from, take, signal }).run();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', close);
    await fetcher.close();
  }
}

/** One fetch at each leader, for all of its partitions. */
export class Following {
  readonly #options: Options;
  readonly #name: string;
  readonly #places: readonly Place[];

  constructor(options: Options) {
    this.#options = options;
    this.#name = options.names.topic(options.topic);
    this.#places = options.from.map((next, partition) => ({ partition, next }));
  }

  /** Ends on abort. @throws what a fetch failed with */
  async run(): Promise<void> {
    const { source, signal } = this.#options;
    const fetches = new LeaderFetches<Place>(
      ({ partition }) => source.leader(this.#name, partition),
      (places) => this.#fetch(places),
    );
    while (!signal.aborted) {
      fetches.start(this.#places);
      await fetches.ended();
    }
  }

  async #fetch(places: readonly Place[]): Promise<void> {
    const { source, signal } = this.#options;
    const maxBytes = Math.max(LEAST_BYTES, Math.min(MOST_BYTES, FETCH_BYTES / places.length));
    const wants = places.map(({ partition, next }) => ({ topic: this.#name, partition, offset: next, maxBytes }));
    for (const fetched of await source.fetch(wants, WAIT_MS)) {
      const place = places.find(({ partition }) => partition === fetched.partition);
      if (place !== undefined && !signal.aborted) await this.#deliver(place, fetched);
    }
  }

  async #deliver(place: Place, fetched: Fetched): Promise<void> {
    const { source, clock, topic, take, signal } = this.#options;
    if (isOutOfRange(fetched)) {
      const { start } = await source.bounds(fetched.topic, fetched.partition);
      if (start > place.next) place.next = start;
      else await clock.sleep(PAUSE_MS, signal);
      return;
    }
    if (fetched.next === place.next) return;
    place.next = fetched.next;
    const records = fetched.records.map((record) => toRecord(topic, place.partition, record));
    take(place.partition, records, place.next);
  }
}
