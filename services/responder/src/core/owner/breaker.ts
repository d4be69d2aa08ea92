import type { ActionMode, BreakerReset } from '@eyrie/schemas';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { RuleSet } from '../rules/rule-set.ts';
import { type Decision, type LedgerLine, NOTHING } from './decision.ts';
import type { OwnerState, Window } from './state.ts';

/** Whether what would change a cluster is held back: too much of it failed lately. A notice that fails breaks nothing. */
export function isBroken(state: OwnerState, tenant: string, highest: number, mode: ActionMode): boolean {
  return highest >= REVERSIBLE && mode !== 'dry_run' && mode !== 'observe' && state.breakers.has(tenant);
}

/**
 * Counts endings that failed or are unknown. At the bound the tenant's breaker opens: what waits and what comes is suppressed
 * until somebody looked. All of a tenant's actions of these classes are decided in one partition, so one breaker has them all.
 */
export function countFailures(state: OwnerState, decision: Decision, { policy }: RuleSet, now: number): Decision {
  const failed = decision.ledger.filter(isFailure);
  if (failed.length === 0) return decision;
  const { count, windowMs } = policy.breaker;
  const windows = new Map<string, Window>();
  const broken = new Set<string>();
  for (const { tenant } of failed) {
    const key = `wet/${tenant}//failures`;
    const before = windows.get(key) ?? state.windows.get(key);
    const times = [...(before?.times ?? []).filter((time) => time > now - windowMs), now].slice(-count);
    windows.set(key, { times, expires_at: now + windowMs });
    if (times.length >= count && !state.breakers.has(tenant)) broken.add(tenant);
  }
  return {
    ...decision,
    windows: [...decision.windows, ...windows],
    breakers: [...broken].map((tenant) => [tenant, now] as const),
    bounds: [...decision.bounds, ...[...broken].map(() => 'responder_breaker' as const)],
  };
}

function isFailure({ state, class: level, mode }: LedgerLine): boolean {
  return level >= REVERSIBLE && mode !== 'dry_run' && (state === 'failed' || state === 'unknown');
}

/** Somebody looked: the count begins anew. What was suppressed stays so. */
export function resetBreaker(state: OwnerState, { tenant, at }: BreakerReset): Decision {
  const since = state.breakers.get(tenant);
  // A word from before it opened, said again, is not about this time.
  if (since === undefined || at < since) return NOTHING;
  return { ...NOTHING, breakers: [[tenant, null]], windows: [[`wet/${tenant}//failures`, null]] };
}
