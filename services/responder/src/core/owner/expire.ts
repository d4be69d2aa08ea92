import { expireApprovals } from './approve.ts';
import { type Decision, NOTHING, type OwnerOptions } from './decision.ts';
import { isOpen, type OwnerState } from './state.ts';

/** Entries forgotten in one step, so that a step stays small. */
const AT_ONCE = 1_000;

export function expire(state: OwnerState, now: number, { plansMax }: OwnerOptions): Decision {
  const removed: string[] = [];
  let over = state.plans.size - plansMax;
  const bounds = over > 0 ? (['responder_plans'] as const) : [];
  for (const plan of state.plans.values()) {
    if (removed.length === AT_ONCE) break;
    if (isOpen(plan)) continue;
    if (plan.expires_at > now && over <= 0) continue;
    removed.push(plan.key);
    over -= 1;
  }
  const windows = [...state.windows].filter(([, window]) => window.expires_at <= now).slice(0, AT_ONCE);
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
