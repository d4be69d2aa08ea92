import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import { DATABASE, type Layout } from './layout.ts';
import type { Store } from './store.ts';

const COLUMNS = [{ name: 'value', type: 'UInt8' }] as const;
/** Leads the names of scratch tables. */
export const SELF_TEST = 'self_test';
/** What processes that ended in the middle left behind; a test takes seconds. */
const LEFT_BEHIND = `
  SELECT name FROM system.tables
  WHERE database = {database:String} AND match(name, '^${SELF_TEST}_[0-9a-f]{16}$')
    AND metadata_modification_time < now() - INTERVAL 1 HOUR`;

/** Inserts one row twice under one token; two rows would mean that repeats after a crash count twice. */
export async function selfTest(
  store: Pick<Store, 'insert' | 'query'>,
  command: (sql: string) => Promise<unknown>,
  layout: Layout,
): Promise<void> {
  const define = async (sql: string) => {
    for (const statement of layout.arrange(sql)) await command(statement);
  };
  const drop = (name: string) => define(`DROP TABLE IF EXISTS ${DATABASE}.${name} SYNC`);
  for (const { name } of await store.query<{ name: string }>(LEFT_BEHIND, { database: DATABASE })) await drop(name);
  // Of its own name: several processes test one server at a time.
  const table = `${SELF_TEST}_${randomBytes(8).toString('hex')}`;
  const { merge_tree, table_settings } = layout.values;
  await define(
    `CREATE TABLE IF NOT EXISTS ${DATABASE}.${table} (value UInt8) ENGINE = ${merge_tree} ORDER BY value SETTINGS ${table_settings}`,
  );
  try {
    const token = `self-test/${randomBytes(16).toString('hex')}`;
    for (let time = 0; time < 2; time += 1) {
      await store.insert({ table, columns: COLUMNS, rows: Buffer.from([7]), rowCount: 1, token });
    }
    const [found] = await store.query<{ rows: string }>(`SELECT count() AS rows FROM ${DATABASE}.${table}`);
    if (found?.rows !== '1') {
      throw new AppError('EYRIE_STORE_NO_DEDUPLICATION', `one token inserted twice gave ${found?.rows} rows`);
    }
  } finally {
    await drop(table);
  }
}
