import type { TemplateValues } from './migrate.ts';

export const DATABASE = 'eyrie';

/** Tokens are remembered for this many inserts a table, an hour's at least: the default of 0 would ignore them. */
export const DEDUPLICATION_WINDOW = 20_000;

/** A part is on disk before its insert returns, because the log's position moves after it. */
const SYNCED = ['fsync_after_insert = 1', 'fsync_part_directory = 1'];

/**
 * Embedded, parts stay compact (one data file, one sync) until merges make them large. Merging a row costs about as much
 * as inserting it: merges wait for many parts of a size (of parts that stay few, age lowers that number again), and so
 * touch a row seldom. Such a merge holds one granule of each part in memory: granules are smaller than the engine's 10 MiB.
 */
export const TABLE_SETTINGS = [
  `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
  ...SYNCED,
  'min_bytes_for_wide_part = 1073741824',
  'merge_selector_base = 20',
  'index_granularity_bytes = 4194304',
].join(', ');

/** A server has cores of its own for merging, and its operator's settings for parts: only what promises rest on is set. */
export const SERVER_TABLE_SETTINGS = [`non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`, ...SYNCED].join(
  ', ',
);

/** The same beside replicas: tokens are kept by Keeper, for a day if there are not too many. */
export const REPLICATED_TABLE_SETTINGS = [
  `replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
  'replicated_deduplication_window_seconds = 86400',
  ...SYNCED,
].join(', ');

/** How the tables of the migrations lie on an engine: whole, or in shards and replicas. */
export interface Layout {
  /** Engines and settings for the migrations' `{{…}}`. */
  readonly values: TemplateValues;
  /** The database of the tables that hold rows. */
  readonly storage: string;
  /** The statements that do what a definition of the migrations says. @throws Error for one of an unknown kind */
  arrange(statement: string): readonly string[];
}

/** Everything in one place: embedded, or one server. */
export function wholeLayout(tableSettings: string): Layout {
  return {
    values: {
      database: DATABASE,
      merge_tree: 'MergeTree',
      replacing_merge_tree: 'ReplacingMergeTree',
      summing_merge_tree: 'SummingMergeTree',
      table_settings: tableSettings,
    },
    storage: DATABASE,
    arrange: (statement) => [statement],
  };
}
