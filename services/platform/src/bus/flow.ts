import type { TopicName } from '@eyrie/schemas';
import type { Notifier } from './notifier.ts';

type Place = readonly [topic: TopicName, partition: number];

/** Someone who reads partitions of topics. */
export interface Reader {
  /** The next offset it will take. */
  next(topic: TopicName): number;
  /** Bytes from there to the end. */
  unread(topic: TopicName, partition: number): number;
}

/** With what a step of the writer adds to this, a reader is still within the tail. */
const BEHIND_BYTES = 3 * 1024 * 1024;
/** How long a reader that stands still is waited for, once: longer than a stage works on a batch. */
const STILL_MS = 300;
/** How long a group waits at most before one batch, and a writer that has a queue of its own before one append. */
const HOLD_MS = 400;
const QUEUED_HOLD_MS = 1_000;

/**
 * Later stages first: who writes faster than his readers read waits a little before he takes more. What is behind then
 * waits in the first topic instead of in each, and a reader finds its records in memory. It is for speed alone: nobody
 * is held up for longer than `HOLD_MS` a batch, and not at all by a reader known to stand still.
 */
export class Flow {
  readonly #notifier: Pick<Notifier, 'notify' | 'wait'>;
  readonly #boundReached: () => void;
  readonly #now: () => number;
  /** By channel; with each reader where it stood when it was waited for in vain: until it moves nobody waits again. */
  readonly #readers = new Map<string, Map<Reader, number | undefined>>();

  /** `boundReached`: somebody waited as long as anyone may. `now`: milliseconds of a clock that is never set back. */
  constructor(
    notifier: Pick<Notifier, 'notify' | 'wait'>,
    boundReached: () => void,
    now: () => number = () => performance.now(),
  ) {
    this.#notifier = notifier;
    this.#boundReached = boundReached;
    this.#now = now;
  }

  add(reader: Reader, topic: TopicName, partition: number): void {
    const name = channel(topic, partition);
    this.#readers.set(name, (this.#readers.get(name) ?? new Map()).set(reader, undefined));
  }

  remove(reader: Reader, topic: TopicName, partition: number): void {
    this.#readers.get(channel(topic, partition))?.delete(reader);
    this.moved(topic, partition);
  }

  moved(topic: TopicName, partition: number): void {
    this.#notifier.notify(channel(topic, partition));
  }

  /** For a writer that has a queue of its own, so that others than it need not wait. */
  holdQueued(topic: TopicName, partition: number): Promise<void> {
    return this.#hold([[topic, partition]], QUEUED_HOLD_MS);
  }

  /** Resolves when no reader of what the caller writes is far behind, or when it has waited long enough. */
  hold(writes: Iterable<Place>, signal: AbortSignal): Promise<void> {
    return this.#hold([...writes], HOLD_MS, signal);
  }

  async #hold(places: readonly Place[], maxMs: number, signal?: AbortSignal): Promise<void> {
    const end = this.#now() + maxMs;
    let slowest: Slow | undefined;
    let movedAt = 0;
    for (let now = this.#now(); signal?.aborted !== true; now = this.#now()) {
      const slow = this.#behind(places);
      if (slow === undefined) return;
      if (slow.reader !== slowest?.reader || slow.next !== slowest.next) {
        slowest = slow;
        movedAt = now;
      } else if (now - movedAt >= STILL_MS) {
        this.#readers.get(channel(...slow.place))?.set(slow.reader, slow.next);
        continue;
      }
      if (now >= end) {
        this.#boundReached();
        return;
      }
      await this.#notifier.wait([channel(...slow.place)], Math.min(STILL_MS, end - now), signal);
    }
  }

  #behind(places: readonly Place[]): Slow | undefined {
    for (const place of places) {
      for (const [reader, still] of this.#readers.get(channel(...place)) ?? []) {
        if (reader.unread(...place) <= BEHIND_BYTES) continue;
        const next = reader.next(place[0]);
        if (still !== next) return { reader, place, next };
      }
    }
    return undefined;
  }
}

interface Slow {
  readonly reader: Reader;
  readonly place: Place;
  readonly next: number;
}

function channel(topic: TopicName, partition: number): string {
  return `read/${topic}/${partition}`;
}
