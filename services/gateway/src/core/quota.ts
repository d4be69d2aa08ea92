/** Bounds of one tenant. Absent = none. */
export interface TenantQuota {
  /** Soft: beyond it events are stored, marked and told less. */
  readonly eventsPerSecond?: number;
  /** Hard: bytes a tenant may store within a day; beyond it intake answers 429. */
  readonly bytesPerDay?: number;
}

export interface Quotas {
  /** False when the tenant has used up its share of the disk. */
  mayStore(tenant: string, now: number): boolean;
  /** True while the tenant is beyond its soft rate: what comes now is marked. */
  isOver(tenant: string, now: number): boolean;
  /** Takes up what was stored. True when the tenant is over its soft rate. */
  note(tenant: string, events: number, bytes: number, now: number): boolean;
}

interface Usage {
  tokens: number;
  at: number;
  /** Bytes by hour of the last day. */
  readonly hours: Map<number, number>;
}

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** A short peak of a busy node is no abuse: ten seconds' worth passes at once. */
const BURST_SECONDS = 10;

/**
 * Counts since the start of the process: after a restart a tenant may store its bytes of a day once more, because what
 * guards the disk itself (retention, refusal when full) does not hang on this. Tenants come from tokens, so there are as many as
 * there are tenants.
 */
export function createQuotas(quotaOf: (tenant: string) => TenantQuota): Quotas {
  const usages = new Map<string, Usage>();
  return {
    mayStore: (tenant, now) => {
      const { bytesPerDay } = quotaOf(tenant);
      const usage = usages.get(tenant);
      if (bytesPerDay === undefined || usage === undefined) return true;
      return bytesOfDay(usage, now) < bytesPerDay;
    },
    isOver: (tenant, now) => {
      const { eventsPerSecond } = quotaOf(tenant);
      const usage = usages.get(tenant);
      if (eventsPerSecond === undefined || usage === undefined) return false;
      return usage.tokens + secondsSince(usage.at, now) * eventsPerSecond < 0;
    },
    note: (tenant, events, bytes, now) => {
      const { eventsPerSecond, bytesPerDay } = quotaOf(tenant);
      if (eventsPerSecond === undefined && bytesPerDay === undefined) return false;
      const burst = (eventsPerSecond ?? 0) * BURST_SECONDS;
      const usage = usages.get(tenant) ?? { tokens: burst, at: now, hours: new Map<number, number>() };
      usages.set(tenant, usage);
      // Only where there is a bound to hold them against: nothing else removes old hours.
      if (bytesPerDay !== undefined) {
        const hour = Math.trunc(now / HOUR_MS);
        usage.hours.set(hour, (usage.hours.get(hour) ?? 0) + bytes);
      }
      if (eventsPerSecond === undefined) return false;
      usage.tokens = Math.min(burst, usage.tokens + secondsSince(usage.at, now) * eventsPerSecond) - events;
      usage.at = now;
      if (usage.tokens >= 0) return false;
      usage.tokens = Math.max(usage.tokens, -burst);
      return true;
    },
  };
}

function secondsSince(at: number, now: number): number {
  return Math.max(0, now - at) / 1000;
}

function bytesOfDay(usage: Usage, now: number): number {
  const oldest = Math.trunc(now / HOUR_MS) - DAY_HOURS;
  let bytes = 0;
  for (const [hour, count] of usage.hours) {
    if (hour <= oldest) usage.hours.delete(hour);
    else bytes += count;
  }
  return bytes;
}
