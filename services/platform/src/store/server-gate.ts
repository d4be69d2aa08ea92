import type { Metrics } from '../metrics.ts';
import { unavailable } from './failures.ts';

/** A waiting line: at most `atOnce` tasks run, at most `waiting` wait, each further one is refused and counted. */
export interface Gate {
  /** @throws AppError EYRIE_STORE_UNAVAILABLE (retryable) when the line is full or the gate closed, and what the task throws */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Refuses what waits and what comes; resolves once what runs has ended. */
  close(): Promise<void>;
}

export function createGate(metrics: Metrics, { atOnce, waiting }: { atOnce: number; waiting: number }): Gate {
  const line: { readonly start: () => void; readonly refuse: (error: unknown) => void }[] = [];
  const running = new Set<Promise<unknown>>();
  let isClosed = false;

  function startNext(): void {
    while (running.size < atOnce && line.length > 0) line.shift()?.start();
  }

  return {
    run: <T>(task: () => Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        if (isClosed) return reject(unavailable('the store is closed'));
        if (line.length >= waiting) {
          metrics.count('eyrie_bound_reached_total', { bound: 'store_requests' });
          return reject(unavailable('too many requests wait for ClickHouse'));
        }
        const start = () => {
          const ended = task().finally(() => {
            running.delete(ended);
            startNext();
          });
          running.add(ended);
          ended.then(resolve, reject);
        };
        line.push({ start, refuse: reject });
        startNext();
      }),
    close: async () => {
      isClosed = true;
      for (const { refuse } of line.splice(0)) refuse(unavailable('the store is closed'));
      await Promise.allSettled(running);
    },
  };
}
