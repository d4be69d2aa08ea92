import { AppError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { CompactResult } from './session.ts';
import type { SelectResult } from './store.ts';

/** Bounds of a question that brings none of its own: ours, and those from outside. */
export const QUERY = { timeoutMs: 30_000, maxRows: 1_000_000 } as const;
export const SELECT = { timeoutMs: 10_000, maxRows: 1_000 } as const;
/** Untrusted statements at a time: what answers them is also for inserts and our own queries. */
export const SELECTS = 4;

/** Rows as objects, from `JSONCompact`. */
export function rowsOf<T>(text: string): readonly T[] {
  const { meta, data } = JSON.parse(text) as CompactResult;
  return data.map((row) => Object.fromEntries(meta.map(({ name }, index) => [name, row[index]])) as T);
}

/** The engine was asked for one row more than `maxRows`: it tells that there are more. */
export function selectResultOf(text: string, maxRows: number): SelectResult {
  const { meta, data } = JSON.parse(text) as CompactResult;
  return { columns: meta, rows: data.slice(0, maxRows), truncated: data.length > maxRows };
}

/** Runs at most `SELECTS` at a time. @throws AppError EYRIE_SQL_LIMIT for one more, counted */
export function boundSelects(metrics: Metrics): <T>(run: () => Promise<T>) => Promise<T> {
  let running = 0;
  return async (run) => {
    if (running >= SELECTS) {
      metrics.count('eyrie_bound_reached_total', { bound: 'store_selects' });
      throw new AppError('EYRIE_SQL_LIMIT', `${SELECTS} statements are running already: repeat when one has ended`);
    }
    running += 1;
    try {
      return await run();
    } finally {
      running -= 1;
    }
  };
}
