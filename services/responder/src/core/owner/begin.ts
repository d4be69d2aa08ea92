import type { ActionReason } from '@eyrie/schemas';
import type { PlannedAction } from '../rules/compiled.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { isBroken } from './breaker.ts';
import { type Call, type Decision, type LedgerLine, NOTHING, type OwnerOptions } from './decision.ts';
import { advance, settle } from './ledger.ts';
import { currentStep, type OwnerState, type Plan } from './state.ts';
import { missedCondition } from './step-conditions.ts';
import { beginUndos, nextUndo } from './undo.ts';

/** Begins every waiting action whose lane is free. What is begun is durable before it is called. */
export function begin(state: OwnerState, rules: RuleSet, now: number, options: OwnerOptions): Decision {
  const plans: Plan[] = [];
  const ledger: LedgerLine[] = [];
  const calls: Call[] = [];
  const rests: (readonly [PlannedAction, number])[] = [];
  for (const { lane, waiting, running, freeAt } of state.lanes.values()) {
    if (freeAt > now) continue;
    let free = lane.max - running;
    for (const key of waiting) {
      if (free <= 0) break;
      if ((state.delayed.get(key) ?? 0) > now) continue;
      const plan = state.plans.get(key);
      const index = plan === undefined ? -1 : currentStep(plan);
      const action = plan?.todo?.actions[index];
      if (plan === undefined || action === undefined) continue;
      const stopped = stopReason(state, plan, rules);
      if (stopped !== undefined) {
        const given = giveUp(plan, index, stopped, now);
        plans.push(given.plan);
        ledger.push(...given.lines);
        continue;
      }
      const missed = missedCondition(plan, action);
      if (missed !== undefined) {
        const left = advance(plan, index, { state: 'suppressed', reason: missed }, now);
        plans.push(settle(left.plan));
        ledger.push(left.line);
        continue;
      }
      const { plan: begun, line } = advance(
        plan,
        index,
        {
          state: 'executing',
          reason: 'started',
          attempt: (plan.steps[index]?.attempt ?? 0) + 1,
          incarnation: options.incarnation,
        },
        now,
      );
      const intent = begun.steps[index];
      if (intent === undefined) continue;
      plans.push(begun);
      ledger.push(line);
      calls.push({ plan: begun, step: index, intent, action, dry: plan.mode === 'dry_run' });
      free -= 1;
      if (lane.intervalMs > 0) {
        rests.push([action, now + lane.intervalMs]);
        break;
      }
    }
  }
  const undos = beginUndos(state, plans, now, options);
  if (plans.length + undos.plans.length === 0) return NOTHING;
  return {
    ...NOTHING,
    plans: [...plans, ...undos.plans],
    ledger: [...ledger, ...undos.ledger],
    calls: [...calls, ...undos.calls],
    rests,
  };
}

/** When the next waiting action may begin; Infinity when none waits for time alone. */
export function nextBegin(state: OwnerState): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { lane, waiting, running, freeAt } of state.lanes.values()) {
    if (waiting.size > 0 && running < lane.max) next = Math.min(next, Math.max(freeAt, earliest(state, waiting)));
  }
  next = Math.min(next, nextUndo(state));
  for (const until of state.awaiting.values()) next = Math.min(next, until);
  return next;
}

/** When the first of them need not wait any longer. */
function earliest({ delayed }: OwnerState, waiting: ReadonlySet<string>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const key of waiting) {
    const until = delayed.get(key);
    if (until === undefined) return 0;
    first = Math.min(first, until);
  }
  return first;
}

/** A rule that was taken back or softened meanwhile no longer acts; a changed one keeps its old plan. */
function stopReason(state: OwnerState, plan: Plan, rules: RuleSet): ActionReason | undefined {
  const rule = rules.byId.get(plan.rule_id);
  if (rule === undefined) return 'rule_gone';
  const highest = Math.max(...plan.steps.map((step) => step.class));
  if (isBroken(state, plan.tenant, highest, plan.mode)) return 'breaker_open';
  if (plan.mode === 'dry_run' && rule.mode !== 'observe') return undefined;
  if (plan.mode === 'approve' && rule.mode === 'approve') return undefined;
  return rule.mode === 'enforce' ? undefined : 'rule_changed';
}

/** All steps from `index` on are suppressed; notices are not, where they are `told` all the same. */
export function giveUp(
  plan: Plan,
  index: number,
  reason: ActionReason,
  now: number,
  told = false,
): { readonly plan: Plan; readonly lines: readonly LedgerLine[] } {
  const lines: LedgerLine[] = [];
  let left = plan;
  for (let i = index; i < plan.steps.length; i += 1) {
    if (left.steps[i]?.state !== 'planned' || (told && left.steps[i]?.class === 0)) continue;
    const next = advance(left, i, { state: 'suppressed', reason }, now);
    left = next.plan;
    lines.push(next.line);
  }
  return { plan: settle(left), lines };
}
