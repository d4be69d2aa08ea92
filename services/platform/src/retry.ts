import type { Clock } from './clock.ts';
import { isRetryable } from './errors.ts';

export interface RetryOptions {
  /** Milliseconds before the second try; doubles each time. */
  readonly initialMs: number;
  readonly maximumMs: number;
  /** Milliseconds after which the last error is thrown. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** 0…1, for jitter. */
  readonly random: () => number;
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void;
}

/** Repeats while the error is retryable, with full jitter, until the deadline or the signal. */
export async function retry<T>(clock: Clock, options: RetryOptions, task: (attempt: number) => Promise<T>): Promise<T> {
  const end = clock.now() + options.deadlineMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task(attempt);
    } catch (error) {
      const ceiling = Math.min(options.maximumMs, options.initialMs * 2 ** (attempt - 1));
      const waitMs = Math.ceil(ceiling * (0.5 + options.random() / 2));
      if (!isRetryable(error) || options.signal?.aborted === true || clock.now() + waitMs > end) throw error;
      options.onRetry?.(error, attempt, waitMs);
      await clock.sleep(waitMs, options.signal);
    }
  }
}
