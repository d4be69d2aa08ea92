import type { Clock } from '../clock.ts';

/** Wakes readers of this process the moment a commit gave them something: no polling delay. */
export class Notifier {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(channel: string): void {
    const waiting = this.#waiting.get(channel);
    if (waiting === undefined) return;
    this.#waiting.delete(channel);
    for (const wake of waiting) wake();
  }

  notifyAll(): void {
    for (const channel of [...this.#waiting.keys()]) this.notify(channel);
  }

  /** Resolves at the next notification of one of the channels, after `maxWaitMs`, or when the signal aborts. */
  async wait(channels: readonly string[], maxWaitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true || maxWaitMs <= 0) return;
    const done = new AbortController();
    const stop = () => done.abort();
    signal?.addEventListener('abort', stop, { once: true });
    for (const channel of channels) {
      const waiting = this.#waiting.get(channel) ?? new Set();
      waiting.add(stop);
      this.#waiting.set(channel, waiting);
    }
    await this.#clock.sleep(maxWaitMs, done.signal);
    signal?.removeEventListener('abort', stop);
    for (const channel of channels) {
      const waiting = this.#waiting.get(channel);
      waiting?.delete(stop);
      if (waiting?.size === 0) this.#waiting.delete(channel);
    }
  }
}
