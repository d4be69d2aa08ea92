import type { Alert, AlertId, TenantId } from '@eyrie/schemas';
import type { Context } from './context.ts';
import { type AlertKey, type AlertSelection, compareKeys, isSelected, keyOfAlert } from './core/alert-filter.ts';
import { selectAlert, selectAlerts } from './queries/alerts.ts';

type Reads = Pick<Context, 'store' | 'recent'>;

/** The alert at its highest known version: from the log's end, or else from ClickHouse. */
export async function findAlert({ store, recent }: Reads, tenant: TenantId, id: AlertId): Promise<Alert | undefined> {
  const stored = await selectAlert(store, tenant, id);
  // Looked at after the query: an entry that was archived meanwhile is in its result.
  const held = recent.get(tenant, id);
  if (held === undefined) return stored;
  return stored !== undefined && stored.version > held.version ? stored : held;
}

/**
 * Up to `count` alerts after a key, newest first. Versions that ClickHouse does not hold yet replace its rows, so that an
 * alert seen on the stream is in the list at once, exactly once.
 */
export async function listAlerts(
  { store, recent }: Reads,
  tenant: TenantId,
  selection: AlertSelection,
  after: AlertKey | undefined,
  count: number,
): Promise<readonly Alert[]> {
  const { sort } = selection;
  const held = new Map<string, Alert>(recent.list(tenant).map((alert) => [alert.alert_id, alert]));
  const pending = [...held.values()]
    .filter((alert) => isSelected(alert, selection))
    .filter((alert) => after === undefined || compareKeys(after, keyOfAlert(alert, sort)) < 0)
    .sort((a, b) => compareKeys(keyOfAlert(a, sort), keyOfAlert(b, sort)));
  const result: Alert[] = [];
  for (let from = after; ; ) {
    const rows = await selectAlerts(store, tenant, selection, from, count);
    for (const row of rows) {
      from = keyOfAlert(row, sort);
      result.push(...takeBefore(pending, from, sort));
      if (!held.has(row.alert_id)) result.push(row);
    }
    if (rows.length < count) return [...result, ...pending].slice(0, count);
    if (result.length >= count) return result.slice(0, count);
  }
}

/** Takes from a sorted list what comes before a key. */
function takeBefore(sorted: Alert[], key: AlertKey, sort: AlertSelection['sort']): Alert[] {
  const index = sorted.findIndex((alert) => compareKeys(keyOfAlert(alert, sort), key) >= 0);
  return sorted.splice(0, index < 0 ? sorted.length : index);
}
