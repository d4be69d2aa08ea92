import { type Decision, NOTHING, type OwnerOptions } from './decision.ts';
import { endStep, isOverdue, overdueEnding } from './finish.ts';
import { currentStep, type OwnerState } from './state.ts';

/** What waited beyond its deadline is not begun any more, however free its lane is now. */
export function overdue(state: OwnerState, now: number, options: OwnerOptions): Decision {
  const ended: Decision[] = [];
  for (const { waiting } of state.lanes.values()) {
    for (const key of waiting) {
      const plan = state.plans.get(key);
      const index = plan === undefined ? -1 : currentStep(plan);
      const [step, action] = [plan?.steps[index], plan?.todo?.actions[index]] as const;
      if (plan === undefined || step === undefined || action === undefined) continue;
      if (!isOverdue(plan, action, now, options)) continue;
      ended.push(endStep(plan, index, action, overdueEnding(step, action), now));
    }
  }
  if (ended.length === 0) return NOTHING;
  return {
    ...NOTHING,
    plans: ended.flatMap(({ plans }) => plans),
    ledger: ended.flatMap(({ ledger }) => ledger),
  };
}
