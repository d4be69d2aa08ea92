import { AppError } from '@eyrie/platform/errors';
import type { SelectResult } from '@eyrie/platform/store/store';

const TIMEOUT_MS = 120_000;

/** How the tables are asked: one read-only SELECT, over the socket of a running process or on a store of our own. */
export type Select = (
  sql: string,
  options: { readonly timeoutMs: number; readonly maxRows: number },
) => Promise<SelectResult>;

export type Rows = SelectResult['rows'];

/** At most `maxRows`. @throws AppError what asking the tables throws */
export async function rowsOf(select: Select, sql: string, maxRows: number): Promise<Rows> {
  return (await select(sql, { timeoutMs: TIMEOUT_MS, maxRows })).rows;
}

/**
 * A page of at most `rows`, smaller where its lines are long: an answer is bounded in bytes. Gives the size that went.
 * @throws AppError EYRIE_SQL_LIMIT where not even one row fits
 */
export async function pageOf(
  select: Select,
  sql: (limit: number) => string,
  rows: number,
): Promise<{ readonly rows: Rows; readonly limit: number }> {
  for (let limit = rows; ; limit = Math.ceil(limit / 4)) {
    try {
      return { rows: await rowsOf(select, sql(limit), limit), limit };
    } catch (error) {
      if (limit === 1 || !(error instanceof AppError) || error.code !== 'EYRIE_SQL_LIMIT') throw error;
    }
  }
}

/** Text as a literal: these statements take no bound values. */
export function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A moment of milliseconds as a literal. */
export function moment(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${Math.trunc(ms)}), 'UTC')`;
}

/** A statement is bounded in bytes: more than this is not listed in it. */
const LIST_CHARS = 30_000;

/** One of these texts; everything where they are too many to say. */
export function oneOf(column: string, values: readonly string[]): string {
  const list = values.map(text).join(', ');
  return list === '' || Buffer.byteLength(list) > LIST_CHARS ? '1' : `${column} IN (${list})`;
}
