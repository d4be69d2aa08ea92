import { AppError } from '@eyrie/platform/errors';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Store } from '@eyrie/platform/store/store';

/** Few at a time: the archiver's inserts share the engine with the questions of people. */
const QUERY_LIMITS = { running: 4, waiting: 200 } as const;

/**
 * The store with a bound on questions: so many run, so many wait in order, the rest is told to come again.
 * @throws AppError EYRIE_HTTP_UNAVAILABLE from `query`
 */
export function gateQueries(
  store: Store,
  metrics: Metrics,
  limits: { readonly running: number; readonly waiting: number } = QUERY_LIMITS,
): Store {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < limits.running) {
      running += 1;
      return;
    }
    if (waiting.length >= limits.waiting) {
      metrics.count('eyrie_bound_reached_total', { bound: 'console_queries' });
      throw new AppError('EYRIE_HTTP_UNAVAILABLE', 'too many questions at a time', { retryable: true });
    }
    // Who wakes takes over the place of who left.
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }

  return {
    ...store,
    query: async (...question) => {
      await enter();
      try {
        return await store.query(...question);
      } finally {
        leave();
      }
    },
  };
}
