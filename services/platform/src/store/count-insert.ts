import type { Metrics } from '../metrics.ts';
import { SELF_TEST } from './self-test.ts';
import type { InsertBatch } from './store.ts';

/** Counts an insert by its table; the tables of self-tests, each of its own name, are one. */
export function countInsert(metrics: Metrics, { table: name, rowCount }: InsertBatch, startedAt: number): void {
  const table = name.startsWith(SELF_TEST) ? SELF_TEST : name;
  metrics.observe('eyrie_store_insert_seconds', { table }, (performance.now() - startedAt) / 1_000);
  metrics.count('eyrie_store_rows_total', { table }, rowCount);
}
