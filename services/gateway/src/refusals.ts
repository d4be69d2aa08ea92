import type { Bus, Output } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { ErrorCode } from '@eyrie/platform/errors';
import { describeError } from '@eyrie/platform/errors';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Principal } from '@eyrie/platform/tokens';
import { type ClusterId, type HealthRecord, nanosOfMs, type TenantId } from '@eyrie/schemas';
import { partitionFor } from './partition.ts';

interface Refusal {
  /** Unknown when the token was. */
  readonly principal: Principal | undefined;
  readonly peer: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Blind time: what intake refused, by tenant or peer. Sensors do not repeat, so a refusal is an event nobody saw. */
export interface Refusals {
  note(refusal: Refusal): void;
  /** Events stored although their tenant is over its soft quota. */
  noteOverQuota(owner: Pick<Principal, 'tenant' | 'cluster'>, events: number): void;
  /** Writes what was counted; what cannot be written is kept for the next time. */
  flush(): Promise<void>;
}

interface Counted {
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly kind: 'refused' | 'over_quota';
  readonly peer: string;
  readonly code: string;
  readonly message: string;
  readonly first: number;
  count: number;
}

/** Pairs of peer and code told apart within a second; the rest is counted together. */
const PEERS = 1000;
const UNKNOWN_CLUSTER = 'unknown' as ClusterId;

export function createRefusals(deps: {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Who is told of refusals that belong to no tenant. */
  readonly operator: TenantId;
}): Refusals {
  const { bus, clock, metrics, log, operator } = deps;
  const counted = new Map<string, Counted>();

  function add(entry: Omit<Counted, 'count'>, count: number): void {
    const key = `${entry.kind} ${entry.tenant} ${entry.cluster} ${entry.code} ${entry.peer}`;
    const held = counted.get(key);
    if (held !== undefined) {
      held.count += count;
    } else if (counted.size < PEERS || entry.peer === '') {
      counted.set(key, { ...entry, count });
    } else {
      metrics.count('eyrie_bound_reached_total', { bound: 'refusal_peers' });
      add({ ...entry, peer: '' }, count);
    }
  }

  return {
    note: ({ principal, peer, code, message }) => {
      metrics.count('eyrie_intake_refused_total', { code });
      const cluster = principal === undefined || principal.cluster === '*' ? UNKNOWN_CLUSTER : principal.cluster;
      const tenant = principal?.tenant ?? operator;
      add({ kind: 'refused', tenant, cluster, peer, code, message, first: clock.now() }, 1);
    },
    noteOverQuota: ({ tenant, cluster: own }, events) => {
      const cluster = own === '*' ? UNKNOWN_CLUSTER : own;
      const message = 'stored, over quota';
      add({ kind: 'over_quota', tenant, cluster, peer: '', code: 'over_quota', message, first: clock.now() }, events);
    },
    flush: async () => {
      if (counted.size === 0) return;
      const taken = [...counted.entries()];
      counted.clear();
      const partitions = bus.partitions('health');
      try {
        await bus.append(taken.map(([key, entry]) => toOutput(key, entry, partitions, clock.now())));
      } catch (error) {
        for (const [, { count, ...entry }] of taken) add(entry, count);
        log.warn({ reason: describeError(error), kinds: taken.length }, 'refusals not written yet');
      }
    },
  };
}

function toOutput(key: string, entry: Counted, partitions: number, now: number): Output {
  const record: HealthRecord = {
    v: 1,
    tenant: entry.tenant,
    cluster: entry.cluster,
    kind: entry.kind,
    time: nanosOfMs(entry.first),
    received_at: now,
    count: entry.count,
    code: entry.code,
    fields: { message: entry.message, ...(entry.peer === '' ? {} : { peer: entry.peer }) },
  };
  const partition = partitionFor(entry.tenant, partitions);
  return { topic: 'health', partition, key: `${key} ${entry.first}`, value: Buffer.from(JSON.stringify(record)) };
}
