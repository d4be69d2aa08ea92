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
