import type { Alert, TenantId } from '@eyrie/schemas';

export interface Audience {
  readonly tenant: TenantId;
  /** A token bound to a cluster sees that cluster only. */
  readonly cluster: string;
  readonly suppressed: boolean;
}

/**
 * Whether a version goes to a client: its own tenant and cluster, what the storm guard lets be told, and hidden alerts
 * only on request; a person's verdict always, so that who saw the alert sees it go.
 */
export function isToldTo(alert: Alert, { tenant, cluster, suppressed }: Audience): boolean {
  if (alert.tenant !== tenant || (cluster !== '*' && alert.cluster !== cluster) || !alert.notify) return false;
  return suppressed || alert.disposition !== 'suppressed' || alert.change === 'verdict';
}
