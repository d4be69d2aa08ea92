import { DATABASE } from './layout.ts';
import type { Store } from './store.ts';

/** How long rows are kept, days. The latest version of an alert or action, and what the monthly number is made of, stay. */
export interface Retention {
  /** Events, and counts of duplicates. */
  readonly eventsDays: number;
  /** Versions of alerts and actions, and coverage. */
  readonly versionsDays: number;
  /** Health records and dead letters. */
  readonly healthDays: number;
}

export const RETENTION: Retention = { eventsDays: 90, versionsDays: 400, healthDays: 90 };

const TABLES: Readonly<Record<string, keyof Retention>> = {
  events: 'eventsDays',
  duplicates: 'eventsDays',
  alert_versions: 'versionsDays',
  action_versions: 'versionsDays',
  coverage_minutes: 'versionsDays',
  health_records: 'healthDays',
  dead_letter_records: 'healthDays',
};

/** The engine's own writing of `TTL <time> + INTERVAL <days> DAY`. */
const TTL = /\bTTL (.+?) \+ toIntervalDay\((\d+)\)/;

/**
 * Gives tables made with another retention the one that is asked for; rows already stored follow in the background.
 * `storage` is the database of the tables that hold rows. Resolves with the tables it changed.
 */
export async function applyRetention(
  store: Pick<Store, 'query'>,
  define: (sql: string) => Promise<unknown>,
  storage: string,
  retention: Retention,
): Promise<readonly string[]> {
  const tables = await store.query<{ name: string; statement: string }>(
    'SELECT name, create_table_query AS statement FROM system.tables WHERE database = {database:String}',
    { database: storage },
  );
  const changed: string[] = [];
  for (const { name, statement } of tables) {
    const kind = TABLES[name];
    const ttl = TTL.exec(statement);
    if (kind === undefined || ttl === null || Number(ttl[2]) === retention[kind]) continue;
    await define(`ALTER TABLE ${DATABASE}.${name} MODIFY TTL ${ttl[1]} + INTERVAL ${retention[kind]} DAY`);
    changed.push(name);
  }
  return changed;
}
