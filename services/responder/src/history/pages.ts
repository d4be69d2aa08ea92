import { moment, pageOf, type Rows, rowsOf, type Select, text } from './select.ts';

const PAGE_ROWS = 8_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** More hours than the longest history has. */
const BUCKETS_MAX = 100_000;

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

/** Rows in order, a page in memory at a time. Slice by slice: a page sorts and reads no more than its slice. */
export async function* readTimeline(select: Select, timeline: Timeline, span: Span): AsyncGenerator<Timed> {
  for await (const within of slicesOf(select, timeline, span)) {
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

/** Spans of about a page each. Whole hours lie together where little happened; a busy one is cut at its minutes. */
async function* slicesOf(select: Select, timeline: Timeline, span: Span): AsyncGenerator<Span> {
  for (const slice of together(await bucketsOf(select, timeline, span, HOUR_MS))) {
    if (slice.rows <= PAGE_ROWS) yield slice;
    else yield* together(await bucketsOf(select, timeline, slice, MINUTE_MS));
  }
}

type Bucket = Span & { readonly rows: number };

/** Neighbours of no more than a page together, as far as they lie in order. */
function together(buckets: readonly Bucket[]): readonly Bucket[] {
  const slices: Bucket[] = [];
  for (const bucket of buckets) {
    const last = slices.at(-1);
    if (last === undefined || last.rows + bucket.rows > PAGE_ROWS) slices.push(bucket);
    else slices[slices.length - 1] = { from: last.from, to: bucket.to, rows: last.rows + bucket.rows };
  }
  return slices;
}

async function bucketsOf(
  select: Select,
  { table, time, where }: Timeline,
  { from, to }: Span,
  lengthMs: number,
): Promise<readonly Bucket[]> {
  const start = `intDiv(toUnixTimestamp64Milli(${time}), ${lengthMs}) * ${lengthMs}`;
  const sql =
    `SELECT ${start} AS bucket, count() FROM ${table} ` +
    `WHERE ${time} >= ${moment(from)} AND ${time} < ${moment(to)} AND ${where} GROUP BY bucket ORDER BY bucket`;
  const rows: Rows = await rowsOf(select, sql, BUCKETS_MAX);
  return rows.map(([bucket, count]) => ({
    from: Math.max(from, Number(bucket)),
    to: Math.min(to, Number(bucket) + lengthMs),
    rows: Number(count),
  }));
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
