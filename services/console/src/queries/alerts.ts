import type { Store } from '@eyrie/platform/store/store';
import type { Alert, AlertId, TenantId } from '@eyrie/schemas';
import type { AlertKey, AlertSelection } from '../core/alert-filter.ts';
import { Where } from './where.ts';

interface Row {
  readonly body: string;
}

const SEARCHED = "concat(rule, '\\n', namespace, '\\n', workload, '\\n', pod, '\\n', image)";

/** Latest versions of alerts after a key, newest first. */
export async function selectAlerts(
  store: Store,
  tenant: TenantId,
  selection: AlertSelection,
  after: AlertKey | undefined,
  limit: number,
): Promise<readonly Alert[]> {
  const { sort, q, from, to, ...columns } = selection;
  const where = new Where(tenant);
  for (const [column, value] of Object.entries(columns)) where.equals(column, value);
  where.between('opened_at', from, to).after(sort, 'alert_id', after);
  if (q !== undefined) where.add(`positionCaseInsensitiveUTF8(${SEARCHED}, {q:String}) > 0`, { q });
  const rows = await store.query<Row>(
    `SELECT body FROM eyrie.alerts WHERE ${where} ORDER BY ${sort} DESC, alert_id DESC LIMIT {limit:UInt32}`,
    { ...where.params, limit },
  );
  return rows.map(({ body }) => JSON.parse(body) as Alert);
}

export async function selectAlert(store: Store, tenant: TenantId, id: AlertId): Promise<Alert | undefined> {
  const where = new Where(tenant).equals('alert_id', id);
  const [row] = await store.query<Row>(`SELECT body FROM eyrie.alerts WHERE ${where} LIMIT 1`, where.params);
  return row && (JSON.parse(row.body) as Alert);
}

/** Versions of one alert, latest first; the first `limit` of them. */
export async function selectAlertVersions(
  store: Store,
  tenant: TenantId,
  id: AlertId,
  limit: number,
): Promise<readonly Alert[]> {
  const where = new Where(tenant).equals('alert_id', id);
  const rows = await store.query<Row>(
    `SELECT body FROM eyrie.alert_versions WHERE ${where} ORDER BY version DESC LIMIT 1 BY version LIMIT {limit:UInt32}`,
    { ...where.params, limit },
  );
  return rows.map(({ body }) => JSON.parse(body) as Alert);
}
