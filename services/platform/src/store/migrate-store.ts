import { quote } from './insert.ts';
import { type Applied, type Migration, pendingMigrations, readMigrations, statementsOf } from './migrate.ts';
import { applyRetention, RETENTION, type Retention } from './retention.ts';
import type { Store } from './store.ts';

const DATABASE = 'eyrie';

/** Tokens are remembered for this many inserts a table, an hour's at least: the default of 0 would ignore them. */
export const DEDUPLICATION_WINDOW = 20_000;
/**
 * A part is on disk before its insert returns, because the log's position moves after it. Parts stay compact (one data
 * file, one sync) until merges make them large. Merging a row costs about as much as inserting it: merges wait for many
 * parts of a size (of parts that stay few, age lowers that number again), and so touch a row seldom. Such a merge holds
 * one granule of each part in memory: granules are smaller than the engine's 10 MiB.
 */
export const TABLE_SETTINGS = [
  `non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`,
  'fsync_after_insert = 1',
  'fsync_part_directory = 1',
  'min_bytes_for_wide_part = 1073741824',
  'merge_selector_base = 20',
  'index_granularity_bytes = 4194304',
].join(', ');

/** Applies what is missing, in order; each is recorded once all its statements ran (they repeat harmlessly). */
export async function migrateStore(
  store: Pick<Store, 'query'>,
  command: (sql: string) => Promise<unknown>,
  wanted: Partial<Retention> = {},
  migrations: readonly Migration[] = readMigrations(),
): Promise<readonly { number: number; name: string; applied: boolean }[]> {
  await command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await command(
    `CREATE TABLE IF NOT EXISTS ${DATABASE}.migrations (number UInt32, name String, checksum String, at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY number`,
  );
  const applied = await store.query<Applied>(
    `SELECT DISTINCT number, name, checksum FROM ${DATABASE}.migrations ORDER BY number`,
  );
  const pending = new Set(pendingMigrations(migrations, applied).map(({ number }) => number));
  const retention = { ...RETENTION, ...wanted };
  const values = {
    database: DATABASE,
    merge_tree: 'MergeTree',
    replacing_merge_tree: 'ReplacingMergeTree',
    summing_merge_tree: 'SummingMergeTree',
    table_settings: TABLE_SETTINGS,
    events_days: retention.eventsDays,
    versions_days: retention.versionsDays,
    health_days: retention.healthDays,
  };
  const result = [];
  for (const migration of migrations) {
    const { number, name, checksum } = migration;
    const isPending = pending.has(number);
    if (isPending) {
      for (const statement of statementsOf(migration, values)) await command(statement);
      await command(
        `INSERT INTO ${DATABASE}.migrations (number, name, checksum) VALUES (${number}, ${quote(name)}, ${quote(checksum)})`,
      );
    }
    result.push({ number, name, applied: isPending });
  }
  await applyRetention(store, command, DATABASE, retention);
  return result;
}
