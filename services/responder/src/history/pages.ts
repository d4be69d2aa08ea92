import { moment, pageOf, type Rows, rowsOf, type Select, text } from './select.ts';

const PAGE_ROWS = 2_000;
const HOUR_MS = 3_600_000;
const HOURS_MAX = 100_000;

/** A table read in the order of a time of ours. */
export interface Timeline {
  readonly table: string;
  /** Milliseconds. */
  readonly time: string;
  /** Columns that put rows of one moment into an order without ties, with whether they are text. */
  readonly ties: readonly { readonly column: string; readonly isText: boolean }[];
  readonly expressions: readonly string[];
  /** More that must hold. */
  readonly where: string;
}

/** `[from, to)`, milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A row, and its time in milliseconds. */
export interface Timed {
  readonly at: number;
  readonly row: readonly unknown[];
}

/** Rows in order, a page in memory at a time. Hour by hour: a page sorts and reads no more than its hour. */
export async function* readTimeline(select: Select, timeline: Timeline, span: Span): AsyncGenerator<Timed> {
  for (const hour of await hoursOf(select, timeline, span)) {
    const within = { from: Math.max(span.from, hour), to: Math.min(span.to, hour + HOUR_MS) };
    let after: readonly unknown[] | undefined;
    let size = PAGE_ROWS;
    for (;;) {
      const from = after;
      const { rows, limit } = await pageOf(select, (n) => pageSql(timeline, within, from, n), size);
      for (const row of rows) yield { at: Number(row[0]), row: row.slice(1 + timeline.ties.length) };
      after = rows.at(-1);
      if (rows.length < limit || after === undefined) break;
      size = limit;
    }
  }
}

async function hoursOf(select: Select, { table, time, where }: Timeline, { from, to }: Span): Promise<number[]> {
  const sql =
    `SELECT toUnixTimestamp(toStartOfHour(${time})) AS hour FROM ${table} ` +
    `WHERE ${time} >= ${moment(from)} AND ${time} < ${moment(to)} AND ${where} GROUP BY hour ORDER BY hour`;
  const rows: Rows = await rowsOf(select, sql, HOURS_MAX);
  return rows.map(([hour]) => Number(hour) * 1_000);
}

function pageSql(
  { table, time, ties, expressions, where }: Timeline,
  { from, to }: Span,
  after: readonly unknown[] | undefined,
  limit: number,
): string {
  const keys = [time, ...ties.map(({ column }) => column)].join(', ');
  const literals = after && [
    moment(Number(after[0])),
    ...ties.map(({ isText }, index) => (isText ? text(String(after[index + 1])) : String(Number(after[index + 1])))),
  ];
  const beyond = literals === undefined ? '' : ` AND (${keys}) > (${literals.join(', ')})`;
  return (
    `SELECT toUnixTimestamp64Milli(${time}), ${[...ties.map(({ column }) => column), ...expressions].join(', ')} ` +
    `FROM ${table} WHERE ${time} >= ${moment(from)} AND ${time} < ${moment(to)} AND ${where}${beyond} ` +
    `ORDER BY ${keys} LIMIT ${limit}`
  );
}
