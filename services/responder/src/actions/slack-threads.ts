import type { Clock } from '@eyrie/platform/clock';
import { type Priority, priorityRank } from '@eyrie/schemas';

/** The first message about a subject, which further ones answer. */
interface Thread {
  readonly ts: string;
  readonly until: number;
  /** Rank of the most severe priority that the channel was told of. */
  readonly told: number;
}

const SUBJECTS_MAX = 1_000;
const LIFE_MS = 86_400_000;

/** Where Slack was told of what, for a day and the last 1,000 subjects. A convenience: without it a message stands for itself. */
export class SlackThreads {
  readonly #clock: Clock;
  readonly #onBound: () => void;
  readonly #threads = new Map<string, Thread>();

  constructor(clock: Clock, onBound: () => void) {
    this.#clock = clock;
    this.#onBound = onBound;
  }

  /** What to add to a message: nothing for the first one. What is more severe than all before also stands in the channel. */
  of(key: string, priority: Priority): { readonly thread_ts?: string; readonly reply_broadcast?: true } {
    const thread = this.#threads.get(key);
    if (thread === undefined) return {};
    if (thread.until <= this.#clock.now()) {
      this.#threads.delete(key);
      return {};
    }
    return { thread_ts: thread.ts, ...(priorityRank(priority) > thread.told && { reply_broadcast: true as const }) };
  }

  /** @param ts of the message that Slack took, the first or an answer to it */
  told(key: string, ts: string, priority: Priority): void {
    const first = this.#threads.get(key);
    const rank = priorityRank(priority);
    // Written anew: the one last told is the last to be forgotten.
    this.#threads.delete(key);
    this.#threads.set(
      key,
      first === undefined
        ? { ts, until: this.#clock.now() + LIFE_MS, told: rank }
        : { ...first, told: Math.max(first.told, rank) },
    );
    if (this.#threads.size <= SUBJECTS_MAX) return;
    this.#onBound();
    const oldest = this.#threads.keys().next();
    if (oldest.done !== true) this.#threads.delete(oldest.value);
  }

  forget(key: string): void {
    this.#threads.delete(key);
  }
}
