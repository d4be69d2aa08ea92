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

/**
 * Inserts a file of RowBinary under a token. Everything the token's promise rests on is in the statement itself, so no
 * setting of a session or server can undo it.
 */
export function insertStatement(
  { table, columns, token }: Omit<InsertBatch, 'rows' | 'rowCount'>,
  path: string,
): string {
  const names = columns.map((column) => name(column.name)).join(', ');
  const structure = columns.map((column) => `${name(column.name)} ${column.type}`).join(', ');
  const settings = [
    `insert_deduplication_token = ${quote(token)}`,
    'insert_deduplicate = 1',
    'deduplicate_blocks_in_dependent_materialized_views = 1',
    "deduplicate_insert_select = 'force_enable'",
    'async_insert = 0',
    // Nothing to analyse in reading a file of known structure: the older, simpler planner halves the cost of a statement.
    'enable_analyzer = 0',
  ].join(', ');
  return `INSERT INTO eyrie.${name(table)} (${names}) SETTINGS ${settings} SELECT * FROM file(${quote(path)}, 'RowBinary', ${quote(structure)})`;
}
