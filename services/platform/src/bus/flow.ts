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

/** A reader this far behind soon falls out of the tail: half of what one holds. */
const BEHIND_BYTES = 3 * 1024 * 1024;
/** How long a reader that stands still is waited for, and anyone at all before one batch. */
const STILL_MS = 200;
const HOLD_MS = 500;

/**
 * Later stages first: who writes faster than his readers read waits a little before he takes more. What is behind then
 * waits in the first topic instead of in each, and a reader finds its records in memory. It is for speed alone: a
 * reader that stands still or has a long way to go holds nobody up for longer than `HOLD_MS` a batch.
 */
export class Flow {
  readonly #notifier: Notifier;
  readonly #readers = new Map<string, Set<Reader>>();

  constructor(notifier: Notifier) {
    this.#notifier = notifier;
  }

  add(reader: Reader, topic: TopicName, partition: number): void {
    const name = channel(topic, partition);
    this.#readers.set(name, (this.#readers.get(name) ?? new Set()).add(reader));
  }

  remove(reader: Reader, topic: TopicName, partition: number): void {
    this.#readers.get(channel(topic, partition))?.delete(reader);
  }

  moved(topic: TopicName, partition: number): void {
    this.#notifier.notify(channel(topic, partition));
  }

  /** Resolves when no reader of what the caller writes is far behind, or when it has waited long enough. */
  async hold(writes: Iterable<Place>, signal?: AbortSignal): Promise<void> {
    const places = [...writes];
    const end = performance.now() + HOLD_MS;
    let slowest: Slow | undefined;
    let movedAt = 0;
    for (let now = performance.now(); now < end && signal?.aborted !== true; now = performance.now()) {
      const slow = this.#behind(places);
      if (slow === undefined) return;
      if (slow.reader !== slowest?.reader || slow.next !== slowest.next) {
        slowest = slow;
        movedAt = now;
      } else if (now - movedAt >= STILL_MS) return;
      await this.#notifier.wait([channel(...slow.place)], STILL_MS, signal);
    }
  }

  #behind(places: readonly Place[]): Slow | undefined {
    for (const place of places) {
      for (const reader of this.#readers.get(channel(...place)) ?? []) {
        if (reader.unread(...place) > BEHIND_BYTES) return { reader, place, next: reader.next(place[0]) };
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
