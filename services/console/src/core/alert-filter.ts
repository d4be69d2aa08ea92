import { type Alert, type Nanos, parseNanos } from '@eyrie/schemas';
import type { AlertFilter } from '@eyrie/schemas/api';

/** What a list of alerts is narrowed to, after the tenant. The cluster of a bound token is among it. */
export type AlertSelection = Omit<AlertFilter, 'limit' | 'cursor'>;

/** Position of an alert in the list, newest first: the sort time, then the id. */
export interface AlertKey {
  readonly time: Nanos;
  readonly id: string;
}

export function keyOfAlert(alert: Alert, sort: AlertFilter['sort']): AlertKey {
  return { time: alert[sort], id: alert.alert_id };
}

/** Negative when `a` comes before `b`: newest first. */
export function compareKeys(a: AlertKey, b: AlertKey): number {
  if (a.time !== b.time) return a.time > b.time ? -1 : 1;
  return a.id === b.id ? 0 : a.id > b.id ? -1 : 1;
}

/** The same conditions as the SQL of `queries/alerts.ts`, for versions that are not in ClickHouse yet. */
export function isSelected(alert: Alert, selection: AlertSelection): boolean {
  const { state, disposition, band, status, priority, rule, cluster, namespace, workload, from, to, q } = selection;
  return (
    is(state, alert.state) &&
    is(disposition, alert.disposition) &&
    is(band, alert.score.band) &&
    is(status, alert.triage.status) &&
    is(priority, alert.priority) &&
    is(rule, alert.rule) &&
    is(cluster, alert.cluster) &&
    is(namespace, alert.identity.namespace) &&
    is(workload, alert.identity.workload) &&
    (from === undefined || alert.opened_at >= (parseNanos(from) ?? '')) &&
    (to === undefined || alert.opened_at < (parseNanos(to) ?? '')) &&
    (q === undefined || searchedText(alert).includes(q.toLowerCase()))
  );
}

function is(wanted: string | undefined, found: string | undefined): boolean {
  return wanted === undefined || wanted === found;
}

function searchedText({ rule, identity }: Alert): string {
  const { namespace = '', workload = '', pod = '', image = '' } = identity;
  return [rule, namespace, workload, pod, image].join('\n').toLowerCase();
}
