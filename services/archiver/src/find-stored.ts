import type { Store } from '@eyrie/platform/store/store';
import { keyOf, type NamedTable, type RowName } from './core/stored-rows.ts';

/** How a table finds rows by id, and what the rest of their name is. */
const FINDERS: Readonly<Record<NamedTable, { readonly id: string; readonly rest: string }>> = {
  events: { id: 'event_id', rest: "''" },
  alert_versions: { id: 'alert_id', rest: 'toString(version)' },
  action_versions: { id: 'intent_key', rest: 'toString(version)' },
  documents: { id: 'id', rest: "concat(kind, '/', toString(version))" },
  health_records: {
    id: 'toString(toUnixTimestamp64Nano(time))',
    rest: "concatWithSeparator('/', cluster, kind, node, code, toString(toUnixTimestamp64Milli(received_at)), toString(count))",
  },
};
/** Names in one question: they travel in the address of a request. */
const NAMES = 1_000;

/** Keys of the rows that are stored among those of the same ids. @throws AppError EYRIE_STORE_UNAVAILABLE */
export async function findStored(store: Pick<Store, 'query'>, names: readonly RowName[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const table of Object.keys(FINDERS) as NamedTable[]) {
    const own = names.filter((name) => name.table === table);
    for (let from = 0; from < own.length; from += NAMES) {
      for (const key of await ask(store, table, own.slice(from, from + NAMES))) found.add(key);
    }
  }
  return found;
}

async function ask(store: Pick<Store, 'query'>, table: NamedTable, names: readonly RowName[]) {
  const { id, rest } = FINDERS[table];
  const times = names.flatMap(({ time }) => (time === undefined ? [] : [time])).sort(byLength);
  const [first, last] = [times[0], times.at(-1)];
  const isBetween =
    first === undefined
      ? ''
      : 'AND time BETWEEN fromUnixTimestamp64Nano({first:Int64}) AND fromUnixTimestamp64Nano({last:Int64})';
  const rows = await store.query<{ tenant: string; id: string; rest: string }>(
    `SELECT DISTINCT tenant, ${id} AS id, ${rest} AS rest FROM eyrie.${table}
     WHERE tenant IN {tenants:Array(String)} AND ${id} IN {ids:Array(String)} ${isBetween}`,
    {
      tenants: [...new Set(names.map(({ tenant }) => tenant))],
      ids: [...new Set(names.map((name) => name.id))],
      ...(first !== undefined && { first, last }),
    },
  );
  return rows.map((row) => keyOf({ table, ...row }));
}

/** Digits in the order of their numbers. */
function byLength(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

/** True where any row of these tables is stored. @throws AppError EYRIE_STORE_UNAVAILABLE */
export async function hasRows(store: Pick<Store, 'query'>, tables: readonly NamedTable[]): Promise<boolean> {
  for (const table of tables) {
    const [row] = await store.query(`SELECT 1 AS one FROM eyrie.${table} LIMIT 1`);
    if (row !== undefined) return true;
  }
  return false;
}
