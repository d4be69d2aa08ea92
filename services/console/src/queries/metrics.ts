import { LOG_TENANT } from '@eyrie/platform/bus/loss';
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

export interface NodeRow {
  readonly cluster: string;
  readonly node: string;
  readonly watched: number;
  /** Seconds since 1970 of the first and the last minute with proof of life. */
  readonly first: number;
  readonly last: number;
}

/** Seconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly cluster?: string;
}

/** Proof of life of each node within a span. */
export async function selectNodes(store: Store, tenant: TenantId, span: Span): Promise<readonly NodeRow[]> {
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

export interface Blind {
  readonly refused_requests: number;
  readonly lost_records: number;
}

/** What was neither stored nor read within a span. Loss is of the log as a whole, and so of every tenant. */
export async function selectBlind(store: Store, tenant: TenantId, span: Span): Promise<Blind> {
  const { from, to, cluster } = span;
  return {
    refused_requests: await sumOfHealth(store, new Where(tenant).equals('cluster', cluster), 'refused', { from, to }),
    lost_records: await sumOfHealth(store, new Where(LOG_TENANT), 'loss', { from, to }),
  };
}

/** Records that came twice are one by their key. Without FINAL, which would merge all heartbeats to count a few refusals. */
async function sumOfHealth(store: Store, where: Where, kind: string, { from, to }: Span): Promise<number> {
  where
    .equals('kind', kind)
    .add('time >= toDateTime({from:UInt32}, {zone:String})', { from, zone: 'UTC' })
    .add('time < toDateTime({to:UInt32}, {zone:String})', { to })
    // Never received before it was: leaves out the months before.
    .add('received_at >= toDateTime({from:UInt32}, {zone:String})', {});
  const [row] = await store.query<{ readonly sum: number }>(
    'SELECT sum(n) AS sum FROM (SELECT key, max(count) AS n FROM eyrie.health_records ' +
      `WHERE ${where} GROUP BY key) ${FORMAT}`,
    where.params,
  );
  return row?.sum ?? 0;
}
