import { createHash } from 'node:crypto';
import type { Alert, AlertId, ClusterId, EventId, Fingerprint, RoutingKey, TenantId } from '@eyrie/schemas';
import { nanosOfMs } from '@eyrie/schemas';

export const T0 = Date.UTC(2026, 9, 20, 12);

/** A whole alert; a test states only what matters. `name` makes the id. */
export function anAlert(name: string, over: Partial<Omit<Alert, 'tenant'>> & { readonly tenant?: string } = {}): Alert {
  const { tenant = 'acme', ...rest } = over;
  const hex = createHash('sha256').update(name).digest('hex');
  const opened = over.opened_at ?? nanosOfMs(T0);
  return {
    v: 1,
    tenant: tenant as TenantId,
    cluster: 'c1' as ClusterId,
    alert_id: hex.slice(0, 32) as AlertId,
    version: 1,
    change: 'opened',
    state: 'open',
    source: 'syscall',
    rule: 'Terminal shell in container',
    priority: 'Notice',
    tags: ['container'],
    tactics: ['execution'],
    techniques: ['T1059'],
    fingerprint: hex.slice(0, 32) as Fingerprint,
    fingerprint_version: 1,
    routing_key: hex.slice(32) as RoutingKey,
    opening_event_id: hex.slice(8, 40) as EventId,
    count: 1,
    opened_at: opened,
    first_seen: opened,
    last_seen: opened,
    targets: [],
    targets_more: 0,
    identity: { namespace: 'shop', workload_kind: 'Deployment', workload: 'cart', pod: 'cart-1', image: 'shop/cart' },
    score: { fp_score: 0.4, p_attack: 0.6, band: 'page', reasons: [], unknown: [], model: 'prior/1' },
    disposition: 'alert',
    triage: { status: 'new' },
    notify: true,
    samples: [],
    related: [],
    partition: 0,
    opening_seq: 1,
    documents_version: 0,
    updated_at: T0,
    ...rest,
  };
}
