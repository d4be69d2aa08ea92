import { randomBytes } from 'node:crypto';
import { AppError } from '../errors.ts';
import { TABLE_SETTINGS } from './migrate-store.ts';
import type { Store } from './store.ts';

const TABLE = 'self_test';
const COLUMNS = [{ name: 'value', type: 'UInt8' }] as const;

/** Inserts one row twice under one token; two rows would mean that repeats after a crash count twice. */
export async function selfTest(
  store: Pick<Store, 'insert' | 'query'>,
  command: (sql: string) => Promise<unknown>,
  settings: string = TABLE_SETTINGS,
): Promise<void> {
  await command(`DROP TABLE IF EXISTS eyrie.${TABLE} SYNC`);
  await command(`CREATE TABLE eyrie.${TABLE} (value UInt8) ENGINE = MergeTree ORDER BY value SETTINGS ${settings}`);
  try {
    const token = `self-test/${randomBytes(16).toString('hex')}`;
    for (let time = 0; time < 2; time += 1) {
      await store.insert({ table: TABLE, columns: COLUMNS, rows: Buffer.from([7]), rowCount: 1, token });
    }
    const [found] = await store.query<{ rows: string }>(`SELECT count() AS rows FROM eyrie.${TABLE}`);
    if (found?.rows !== '1') {
      throw new AppError('EYRIE_STORE_NO_DEDUPLICATION', `one token inserted twice gave ${found?.rows} rows`);
    }
  } finally {
    await command(`DROP TABLE IF EXISTS eyrie.${TABLE} SYNC`);
  }
}
