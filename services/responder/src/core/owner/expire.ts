import { expireApprovals } from './approve.ts';
import { type Decision, NOTHING, type OwnerOptions } from './decision.ts';
import { isOpen, type OwnerState, type Window } from './state.ts';
import { THRESHOLD } from './threshold.ts';

/** Counts towards thresholds that are kept: whoever attacks chooses their values. Beyond, the oldest are forgotten. */
const THRESHOLDS_MAX = 50_000;
/** Entries forgotten in one step, so that a step stays small. */
export const AT_ONCE = 1_000;

export function expire(state: OwnerState, now: number, { plansMax }: OwnerOptions): Decision {
  const removed: string[] = [];
  let surplus = state.plans.size - plansMax;
  const bounds: Decision['bounds'][number][] = surplus > 0 ? ['responder_plans'] : [];
  for (const plan of state.plans.values()) {
    if (removed.length === AT_ONCE) break;
    if (isOpen(plan)) continue;
    if (plan.expires_at > now && surplus <= 0) continue;
    removed.push(plan.key);
    surplus -= 1;
  }
  const over = oldestThresholds(state);
  if (over.length > 0) bounds.push('responder_thresholds');
  const ended = [...state.windows].filter(([, window]) => window.expires_at <= now);
  const windows = [...ended, ...over].slice(0, AT_ONCE);
  const cooldowns = [...state.cooldowns].filter(([, until]) => until <= now).slice(0, AT_ONCE);
  const { plans, ledger } = expireApprovals(state, now);
  if (removed.length + windows.length + cooldowns.length + plans.length === 0) return NOTHING;
  return {
    ...NOTHING,
    plans,
    ledger,
    removed,
    windows: windows.map(([key]) => [key, null]),
    cooldowns: cooldowns.map(([key]) => [key, null]),
    bounds,
  };
}

/** Windows come in the order they were first counted in. */
function oldestThresholds({ windows }: OwnerState): readonly (readonly [string, Window])[] {
  if (windows.size <= THRESHOLDS_MAX) return [];
  const counted = [...windows].filter(([key]) => key.startsWith(THRESHOLD));
  return counted.slice(0, Math.max(0, counted.length - THRESHOLDS_MAX));
}
