import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Alert, AlertId, TenantId } from '@eyrie/schemas';
import type { AlertFeed, FedAlert } from './alert-feed.ts';

/**
 * The alert versions that ClickHouse may not hold yet: whoever saw an alert on the stream finds it in get and list.
 * An entry goes once the archiver's position has passed it for a while; over the bound the oldest goes, counted.
 */
export interface RecentAlerts {
  get(tenant: TenantId, id: AlertId): Alert | undefined;
  list(tenant: TenantId): readonly Alert[];
  /** The first version for which `accept` holds, now or within `maxWaitMs`. */
  waitFor(
    tenant: TenantId,
    id: AlertId,
    accept: (alert: Alert) => boolean,
    maxWaitMs: number,
  ): Promise<Alert | undefined>;
  stop(): void;
}

/** `bytes`: characters of text, one byte each but for text of other scripts. */
const RECENT_LIMITS = { alerts: 20_000, bytes: 128 * 1024 * 1024 } as const;
/** Between looks at the archiver's position, milliseconds; an entry stays for one more look after it was passed. */
const SWEEP_MS = 2_000;

/** As text: reading all of them would cost far more than the few that someone asks for. */
type Entry = Pick<FedAlert, 'partition' | 'offset' | 'version' | 'text'>;

const read = ({ text }: Entry) => JSON.parse(text) as Alert;

interface Dependencies {
  readonly feed: AlertFeed;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

export function createRecentAlerts(
  { feed, bus, clock, metrics }: Dependencies,
  limits: { readonly alerts: number; readonly bytes: number } = RECENT_LIMITS,
): RecentAlerts {
  // Insertion order is the order of the log: a new version moves its alert to the end.
  const byTenant = new Map<TenantId, Map<AlertId, Entry>>();
  const order = new Map<AlertId, TenantId>();
  const waiters = new Set<(fed: FedAlert) => void>();
  let bytes = 0;

  const off = feed.onPosition((_partition, _offset, fed) => {
    if (fed === undefined) return;
    keep(fed);
    for (const waiter of waiters) waiter(fed);
  });

  function keep({ tenant, id, partition, offset, version, text }: FedAlert): void {
    const held = byTenant.get(tenant)?.get(id);
    if (held !== undefined && held.version >= version) return;
    forget(tenant, id);
    let alerts = byTenant.get(tenant);
    if (alerts === undefined) {
      alerts = new Map();
      byTenant.set(tenant, alerts);
    }
    alerts.set(id, { partition, offset, version, text });
    order.set(id, tenant);
    bytes += text.length;
    while (order.size > limits.alerts || bytes > limits.bytes) {
      const oldest = order.entries().next().value;
      if (oldest === undefined) break;
      metrics.count('eyrie_bound_reached_total', { bound: 'console_recent_alerts' });
      forget(oldest[1], oldest[0]);
    }
  }

  function forget(tenant: TenantId, id: AlertId): void {
    const alerts = byTenant.get(tenant);
    const entry = alerts?.get(id);
    if (alerts === undefined || entry === undefined) return;
    bytes -= entry.text.length;
    alerts.delete(id);
    order.delete(id);
    if (alerts.size === 0) byTenant.delete(tenant);
  }

  function get(tenant: TenantId, id: AlertId): Alert | undefined {
    const entry = byTenant.get(tenant)?.get(id);
    return entry && read(entry);
  }

  /** Where the archiver stood at the last look. */
  let archived = new Map<number, number>();
  const stopping = new AbortController();
  const sweeping = sweep();

  async function sweep(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(SWEEP_MS, stopping.signal);
      // Positions move after the insert returned; one look later every query sees the rows.
      for (const [id, tenant] of order) {
        const entry = byTenant.get(tenant)?.get(id);
        if (entry !== undefined && entry.offset < (archived.get(entry.partition) ?? 0)) forget(tenant, id);
      }
      archived = await archiverPositions(bus).catch(() => archived);
    }
  }

  return {
    get,
    list: (tenant) => Array.from(byTenant.get(tenant)?.values() ?? [], read),
    waitFor: async (tenant, id, accept, maxWaitMs) => {
      const held = get(tenant, id);
      if (held !== undefined && accept(held)) return held;
      const found = new AbortController();
      let result: Alert | undefined;
      const waiter = (fed: FedAlert) => {
        if (fed.tenant !== tenant || fed.id !== id || !accept(fed.alert)) return;
        result = fed.alert;
        found.abort();
      };
      waiters.add(waiter);
      await clock.sleep(maxWaitMs, AbortSignal.any([found.signal, stopping.signal]));
      waiters.delete(waiter);
      return result;
    },
    stop: () => {
      off();
      stopping.abort();
      void sweeping;
    },
  };
}

/** Next offset of `alerts` by partition that the archiver has not written yet. */
export async function archiverPositions(bus: Bus): Promise<Map<number, number>> {
  const positions = new Map<number, number>();
  for (const { group, topic, partition, next } of await bus.groups()) {
    if (topic === 'alerts' && group.startsWith('archiver')) positions.set(partition, next);
  }
  return positions;
}
