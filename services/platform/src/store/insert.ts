import type { InsertBatch } from './store.ts';

/** Text as a literal: the engine's escapes, so that no content ends it. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const NAME = /^[a-z_][a-z0-9_]*$/;

function name(text: string): string {
  if (!NAME.test(text)) throw new Error(`not a name: ${text}`);
  return text;
}

type Named = Omit<InsertBatch, 'rows' | 'rowCount'>;

function target({ table, columns }: Named): string {
  return `INSERT INTO eyrie.${name(table)} (${columns.map((column) => name(column.name)).join(', ')})`;
}

/** Everything the token's promise rests on is in the statement itself, so no setting of a session or server can undo it. */
function tokenSettings(token: string): readonly string[] {
  return [
    `insert_deduplication_token = ${quote(token)}`,
    'insert_deduplicate = 1',
    'deduplicate_blocks_in_dependent_materialized_views = 1',
    'async_insert = 0',
  ];
}

/** One insert is one block, read by one thread: its cut, and so its token, is the same each time. */
export const ONE_BLOCK = {
  max_threads: 1,
  max_insert_threads: 1,
  max_block_size: 1_000_000,
  max_insert_block_size: 1_000_000,
  min_insert_block_size_rows: 1_000_000,
  min_insert_block_size_bytes: 1_000_000_000,
  max_partitions_per_insert_block: 0,
} as const;

/** Inserts a file of RowBinary under a token. */
export function insertStatement(batch: Named, path: string): string {
  const structure = batch.columns.map((column) => `${name(column.name)} ${column.type}`).join(', ');
  const settings = [
    ...tokenSettings(batch.token),
    "deduplicate_insert_select = 'force_enable'",
    // Nothing to analyse in reading a file of known structure: the older, simpler planner halves the cost of a statement.
    'enable_analyzer = 0',
  ].join(', ');
  return `${target(batch)} SETTINGS ${settings} SELECT * FROM file(${quote(path)}, 'RowBinary', ${quote(structure)})`;
}

/** Inserts the body of the request, RowBinary, under a token; on a cluster into all its shards before it returns. */
export function insertBodyStatement(batch: Named): string {
  const settings = [
    ...tokenSettings(batch.token),
    ...Object.entries(ONE_BLOCK).map(([setting, value]) => `${setting} = ${value}`),
    'distributed_foreground_insert = 1',
  ].join(', ');
  return `${target(batch)} SETTINGS ${settings} FORMAT RowBinary`;
}
