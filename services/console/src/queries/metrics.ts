import type { StoredCount } from '@eyrie/platform/reconciliation/compare';
import type { Store } from '@eyrie/platform/store/store';
import type { TenantId } from '@eyrie/schemas';
import { FORMAT, Where } from './where.ts';

export interface MonthRow {
  readonly month: string;
  readonly alerts: number;
  readonly suppressed: number;
}

/** Alerts by the month of their opening. Months as `YYYY-MM`, both included. */
export async function selectMonths(
  store: Store,
  tenant: TenantId,
  { from, to }: { readonly from?: string; readonly to?: string },
): Promise<readonly MonthRow[]> {
  const where = new Where(tenant);
  if (from !== undefined) where.add('month >= {from:String}', { from });
  if (to !== undefined) where.add('month <= {to:String}', { to });
  return store.query<MonthRow>(
    `SELECT month, alerts, suppressed FROM eyrie.monthly_alerts WHERE ${where} ORDER BY month ${FORMAT}`,
    where.params,
  );
}

/** Alerts by judge partition and month of their opening, as the archiver has written them: one side of the reconciliation. */
export async function selectStoredCounts(store: Store, tenant: TenantId): Promise<readonly StoredCount[]> {
  const where = new Where(tenant);
  return store.query<StoredCount>(
    "SELECT tenant, partition, formatDateTime(opened_at, '%Y-%m', 'UTC') AS month, count() AS opened, " +
      "countIf(disposition != 'suppressed') AS shown, countIf(disposition = 'suppressed') AS suppressed, " +
      `max(opening_seq) AS last_seq FROM eyrie.alerts WHERE ${where} GROUP BY tenant, partition, month ${FORMAT}`,
    where.params,
  );
}

export interface NodeRow {
  readonly cluster: string;
  readonly node: string;
  readonly watched: number;
  /** Seconds since 1970 of the first and the last minute with proof of life. */
  readonly first: number;
  readonly last: number;
}

/** Proof of life of each node within a span, seconds since 1970. */
export async function selectNodes(
  store: Store,
  tenant: TenantId,
  span: { readonly from: number; readonly to: number; readonly cluster?: string },
): Promise<readonly NodeRow[]> {
  const where = new Where(tenant)
    .equals('cluster', span.cluster)
    .add('minute >= toDateTime({from:UInt32}, {zone:String})', { from: span.from, zone: 'UTC' })
    .add('minute < toDateTime({to:UInt32}, {zone:String})', { to: span.to });
  return store.query<NodeRow>(
    'SELECT cluster, node, count() AS watched, toUnixTimestamp(min(minute)) AS first, ' +
      `toUnixTimestamp(max(minute)) AS last FROM eyrie.coverage WHERE ${where} ` +
      `GROUP BY cluster, node ORDER BY cluster, node ${FORMAT}`,
    where.params,
  );
}
