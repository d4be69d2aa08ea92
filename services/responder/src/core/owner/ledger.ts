import type { LedgerLine } from './decision.ts';
import { isOpen, type Plan, type Step } from './state.ts';

const DETAIL_MAX = 2_048;

/** The step in its next state, and the line that says so. */
export function advance(
  plan: Plan,
  index: number,
  change: Pick<Step, 'state' | 'reason'> &
    Partial<Pick<Step, 'attempt' | 'incarnation' | 'resent' | 'unsure' | 'undo'>>,
  at: number,
  detail?: string,
  by?: string,
): { readonly plan: Plan; readonly line: LedgerLine } {
  const before = plan.steps[index];
  if (before === undefined) throw new RangeError(`plan ${plan.key} has no step ${index}`);
  const { undo: _, ...rest } = before;
  const step: Step = { ...rest, ...change, version: before.version + 1 };
  const steps = plan.steps.with(index, step);
  return { plan: { ...plan, steps }, line: ledgerLine(plan, step, at, detail, by) };
}

/** A plan without anything left to do keeps what is needed to recognise it. */
export function settle(plan: Plan): Plan {
  if (plan.todo === undefined || isOpen(plan)) return plan;
  const { todo, approval, ...rest } = plan;
  const { actions, context } = todo;
  // What can still be taken back needs to know where, and no more.
  if (!plan.steps.some(({ state }, index) => state === 'succeeded' && actions[index]?.undoable === true)) return rest;
  const fields = Object.fromEntries(Object.entries(context.fields).filter(([name]) => PLACE.has(name)));
  return { ...rest, todo: { actions, context: { ...context, summary: '', fields } } };
}

/** Fields that say where an action was done. */
const PLACE = new Set([
  'namespace',
  'pod',
  'pod_uid',
  'container_id',
  'host',
  'workload',
  'workload_kind',
  'k8s.ns.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'container.id',
  'k8smeta.ns.name',
  'k8smeta.pod.name',
  'k8smeta.pod.uid',
]);

export function ledgerLine(plan: Plan, step: Step, at: number, detail?: string, by?: string): LedgerLine {
  const isAwaiting = step.state === 'awaiting_approval';
  const dueAt = isAwaiting ? plan.approval?.until : step.undo?.at;
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
    plan: plan.key,
    ...(plan.approval !== undefined && { plan_hash: plan.approval.hash }),
    ...(dueAt !== undefined && { due_at: dueAt }),
    ...(by !== undefined && by !== '' && { by }),
  };
}
