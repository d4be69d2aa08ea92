import type { LedgerLine } from './decision.ts';
import type { Plan, Step } from './state.ts';

const DETAIL_MAX = 2_048;

/** The step in its next state, and the line that says so. */
export function advance(
  plan: Plan,
  index: number,
  change: Pick<Step, 'state' | 'reason'> & Partial<Pick<Step, 'attempt' | 'incarnation' | 'resent' | 'unsure'>>,
  at: number,
  detail?: string,
): { readonly plan: Plan; readonly line: LedgerLine } {
  const before = plan.steps[index];
  if (before === undefined) throw new RangeError(`plan ${plan.key} has no step ${index}`);
  const step: Step = { ...before, ...change, version: before.version + 1 };
  const steps = plan.steps.with(index, step);
  return { plan: { ...plan, steps }, line: ledgerLine(plan, step, at, detail) };
}

/** A plan without anything left to do keeps what is needed to recognise it. */
export function settle(plan: Plan): Plan {
  if (plan.todo === undefined || plan.steps.some(({ state }) => state === 'planned' || state === 'executing'))
    return plan;
  const { todo, ...rest } = plan;
  return rest;
}

export function ledgerLine(plan: Plan, step: Step, at: number, detail?: string): LedgerLine {
  return {
    v: 1,
    tenant: plan.tenant,
    cluster: plan.cluster,
    intent_key: step.intent_key,
    version: step.version,
    state: step.state,
    reason: step.reason,
    rule_id: plan.rule_id,
    rule_version: plan.rule_version,
    action: step.action,
    actionner: step.actionner,
    class: step.class,
    mode: plan.mode,
    alert_id: plan.alert_id,
    ...(plan.event_id !== undefined && { event_id: plan.event_id }),
    target: plan.target,
    incarnation: step.incarnation,
    attempt: step.attempt,
    at,
    ...(detail !== undefined && detail !== '' && { detail: detail.slice(0, DETAIL_MAX) }),
  };
}
