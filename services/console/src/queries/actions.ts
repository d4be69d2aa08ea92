import type { Store } from '@eyrie/platform/store/store';
import type { TenantId } from '@eyrie/schemas';
import type { ActionFilter } from '@eyrie/schemas/api';
import { FORMAT, Where } from './where.ts';

export type ActionRow = Readonly<Record<string, unknown>> & {
  readonly at: string;
  readonly intent_key: string;
  readonly cluster: string;
};
export type ActionSelection = Omit<ActionFilter, 'limit' | 'cursor'> & { readonly cluster?: string };

/** The latest state of each intent after a key, newest first. */
export async function selectActions(
  store: Store,
  tenant: TenantId,
  selection: ActionSelection,
  after: { readonly time: string; readonly id: string } | undefined,
  limit: number,
): Promise<readonly ActionRow[]> {
  const where = new Where(tenant);
  for (const [column, value] of Object.entries(selection)) where.equals(column, value);
  where.after('at', 'intent_key', after);
  return store.query<ActionRow>(
    `SELECT * FROM eyrie.actions WHERE ${where} ORDER BY at DESC, intent_key DESC LIMIT {limit:UInt32} ${FORMAT}`,
    { ...where.params, limit },
  );
}

/** Every line of the ledger about one intent, first to last. */
export async function selectIntent(store: Store, tenant: TenantId, intentKey: string): Promise<readonly ActionRow[]> {
  const where = new Where(tenant).equals('intent_key', intentKey);
  return store.query<ActionRow>(
    `SELECT * FROM eyrie.action_versions WHERE ${where} ORDER BY version LIMIT 1 BY version LIMIT 1000 ${FORMAT}`,
    where.params,
  );
}

/** Steps of plans that wait for a person, oldest first. */
export async function selectAwaiting(
  store: Store,
  tenant: TenantId,
  selection: { readonly cluster?: string; readonly plan?: string },
  limit: number,
): Promise<readonly ActionRow[]> {
  const where = new Where(tenant).equals('state', 'awaiting_approval');
  for (const [column, value] of Object.entries(selection)) where.equals(column, value);
  return store.query<ActionRow>(
    `SELECT * FROM eyrie.actions WHERE ${where} ORDER BY at, plan, seq LIMIT {limit:UInt32} ${FORMAT}`,
    { ...where.params, limit },
  );
}

/**
 * Lines of a partition's ledger after one, in their order. Of all tenants: a chain runs through all of them. `at` and
 * `due_at` in milliseconds, as they were hashed.
 */
export async function selectChain(
  store: Store,
  partition: number,
  after: number,
  upTo: number,
  limit: number,
): Promise<readonly ActionRow[]> {
  return store.query<ActionRow>(
    `SELECT * REPLACE (toUnixTimestamp64Milli(at) AS at, toUnixTimestamp64Milli(due_at) AS due_at)
     FROM eyrie.action_versions
     WHERE partition = {partition:UInt32} AND seq > {after:UInt64} AND seq <= {upTo:UInt64}
     ORDER BY seq LIMIT {limit:UInt32} ${FORMAT}`,
    { partition, after, upTo, limit },
  );
}
