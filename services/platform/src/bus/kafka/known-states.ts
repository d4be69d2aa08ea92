import type { TopicName } from '@eyrie/schemas';
import type { Metrics } from '../../metrics.ts';

/** Part of a changelog as it was read, and where reading goes on. */
interface KnownState {
  readonly state: Map<string, Buffer>;
  readonly next: number;
  /** Milliseconds: when it was read. */
  readonly at: number;
}

const MAX_KNOWN = 64;
const MAX_KEYS = 10_000;
/** Far below the day after which compaction may remove a tombstone: nothing deleted is taken for kept. */
const MAX_AGE_MS = 3_600_000;

/**
 * Small parts of changelogs (the judge's counts, by prefix) that are asked for again and again: without it each question
 * would read the whole changelog. The whole state of a partition is never kept.
 */
export class KnownStates {
  readonly #known = new Map<string, KnownState>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Whoever takes it reads on and puts it back; two at a time read on their own. */
  take(topic: TopicName, partition: number, prefix: string, now: number): KnownState | undefined {
    const key = `${topic}/${partition}/${prefix}`;
    const known = this.#known.get(key);
    this.#known.delete(key);
    return known !== undefined && now - known.at <= MAX_AGE_MS ? known : undefined;
  }

  put(topic: TopicName, partition: number, prefix: string, known: KnownState): void {
    if (known.state.size > MAX_KEYS) {
      this.#count();
      return;
    }
    this.#known.set(`${topic}/${partition}/${prefix}`, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size <= MAX_KNOWN || oldest === undefined) return;
    this.#known.delete(oldest);
    this.#count();
  }

  #count(): void {
    this.#metrics.count('eyrie_bound_reached_total', { bound: 'bus_known_states' });
  }
}
