import { quote } from './insert.ts';
import { DATABASE, type Layout } from './layout.ts';
import { type Applied, type Migration, pendingMigrations, readMigrations, statementsOf } from './migrate.ts';
import { applyRetention, RETENTION, type Retention } from './retention.ts';
import type { Store } from './store.ts';

export interface MigrateOptions {
  readonly layout: Layout;
  readonly retention?: Partial<Retention> | undefined;
  /** Tables that exist keep the retention they have. */
  readonly keepsRetention?: boolean | undefined;
  readonly migrations?: readonly Migration[];
}

const HAS_NOTES =
  "SELECT count() AS tables FROM system.tables WHERE database = {database:String} AND name = 'migrations'";

/** Where the migrations that ran are noted. */
function notesTable({ values }: Layout): readonly string[] {
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE}`,
    `CREATE TABLE IF NOT EXISTS ${DATABASE}.migrations (number UInt32, name String, checksum String, at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ${values['merge_tree']} ORDER BY number`,
  ];
}

/** What a migration runs on this layout, and the note that it ran. */
function stepsOf(migration: Migration, layout: Layout, retention: Retention): readonly string[] {
  const { number, name, checksum } = migration;
  const values = {
    ...layout.values,
    events_days: retention.eventsDays,
    versions_days: retention.versionsDays,
    health_days: retention.healthDays,
  };
  return [
    ...statementsOf(migration, values).flatMap(layout.arrange),
    `INSERT INTO ${DATABASE}.migrations (number, name, checksum) VALUES (${number}, ${quote(name)}, ${quote(checksum)})`,
  ];
}

/** Everything a new database needs, in order. */
export function allStatements({ layout, retention, migrations = readMigrations() }: MigrateOptions): readonly string[] {
  const wanted = { ...RETENTION, ...retention };
  return [
    ...notesTable(layout).flatMap(layout.arrange),
    ...migrations.flatMap((migration) => stepsOf(migration, layout, wanted)),
  ];
}

/** Applies what is missing, in order; each is recorded once all its statements ran (they repeat harmlessly). */
export async function migrateStore(
  store: Pick<Store, 'query'>,
  command: (sql: string) => Promise<unknown>,
  { layout, retention: wanted, keepsRetention = false, migrations = readMigrations() }: MigrateOptions,
): Promise<readonly { number: number; name: string; applied: boolean }[]> {
  const define = async (sql: string) => {
    for (const statement of layout.arrange(sql)) await command(statement);
  };
  // Whoever finds everything applied needs no right to define anything.
  const [found] = await store.query<{ tables: string }>(HAS_NOTES, { database: DATABASE });
  if (found?.tables !== '1') for (const statement of notesTable(layout)) await define(statement);
  const applied = await store.query<Applied>(
    `SELECT DISTINCT number, name, checksum FROM ${DATABASE}.migrations ORDER BY number`,
  );
  const pending = new Set(pendingMigrations(migrations, applied).map(({ number }) => number));
  const retention = { ...RETENTION, ...wanted };
  const result = [];
  for (const migration of migrations) {
    const { number, name } = migration;
    const isPending = pending.has(number);
    if (isPending) for (const step of stepsOf(migration, layout, retention)) await command(step);
    result.push({ number, name, applied: isPending });
  }
  if (!keepsRetention) await applyRetention(store, define, layout.storage, retention);
  return result;
}
