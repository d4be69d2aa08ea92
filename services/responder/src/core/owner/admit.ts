import type { ActionReason, ActionRequest, ActionState } from '@eyrie/schemas';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import { intentKey, planKey } from '../request.ts';
import type { CompiledRule, Lane } from '../rules/compiled.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { approvalFor } from './approve.ts';
import { isBroken } from './breaker.ts';
import { type Decision, NOTHING, type OwnerOptions } from './decision.ts';
import { ledgerLine } from './ledger.ts';
import { countLimits } from './limits.ts';
import { noticesBehind } from './order.ts';
import type { OwnerState, Plan, Step } from './state.ts';
import { countThreshold } from './threshold.ts';

/**
 * A request becomes a plan, whose first state is its decision: cooldown, limit, mode. A target that has a plan of the
 * rule for the alert never gets another.
 */
export function admit(
  state: OwnerState,
  request: ActionRequest,
  rules: RuleSet,
  now: number,
  options: OwnerOptions,
): Decision {
  const { tenant, cluster, rule_id: ruleId, alert_id: alertId, target, alias } = request;
  const key = planKey(tenant, ruleId, alertId, target);
  if (state.plans.has(key)) return NOTHING;
  if (alias !== undefined && state.plans.has(planKey(tenant, ruleId, alertId, alias))) return NOTHING;
  const rule = rules.byId.get(ruleId);
  // A rule that is gone leaves no plan: it has no actions to speak of.
  if (rule === undefined) return NOTHING;

  const wetness = rule.mode === 'enforce' || rule.mode === 'approve' ? 'wet' : 'dry';
  const reached = countThreshold(state, wetness, rule, request, now);
  if (reached.kind === 'below') return { ...NOTHING, windows: [reached.window] };
  // A target is named within its cluster: nodes of two clusters may share a name.
  const cooldownKey = `${wetness}/${tenant}/${ruleId}/${cluster}/${target}`;
  const counted = countLimits(state, wetness, rule, request, rules, { now, partitions: options.partitions });
  const isBacklogged = rule.class < REVERSIBLE && state.notices >= options.noticesMax;
  const over = counted.kind === 'over' ? counted.reason : isBacklogged ? 'limit_backlog' : undefined;
  const isCooling = rule.cooldownMs > 0 && (state.cooldowns.get(cooldownKey) ?? 0) > now;
  const verdict = isProtected(request, rule, rules)
    ? ({ state: 'denied', reason: 'protected_namespace' } as const)
    : firstState(rule, isBroken(state, tenant, rule.class, rule.mode) ? 'breaker_open' : isCooling ? 'cooldown' : over);
  const acts = verdict.state !== 'suppressed' && verdict.state !== 'denied';
  const plan = makePlan(key, request, rule, verdict, now, options);
  return {
    ...NOTHING,
    plans: [plan],
    windows: acts && counted.kind === 'within' ? counted.windows : [],
    cooldowns: acts && rule.cooldownMs > 0 ? [[cooldownKey, now + rule.cooldownMs]] : [],
    ledger: plan.steps.map((step) => ledgerLine(plan, step, now)),
  };
}

function firstState(
  rule: CompiledRule,
  suppressedBy: ActionReason | undefined,
): { readonly state: ActionState; readonly reason: ActionReason } {
  if (suppressedBy !== undefined) return { state: 'suppressed', reason: suppressedBy };
  switch (rule.mode) {
    case 'enforce':
      return { state: 'planned', reason: 'queued' };
    case 'approve':
      return { state: 'awaiting_approval', reason: 'approval_needed' };
    case 'dry_run':
      return { state: 'simulated', reason: 'dry_run' };
    default:
      return { state: 'planned', reason: 'observe' };
  }
}

const PROVING: { readonly state: ActionState; readonly reason: ActionReason } = { state: 'planned', reason: 'queued' };

function makePlan(
  key: string,
  request: ActionRequest,
  rule: CompiledRule,
  { state, reason }: { readonly state: ActionState; readonly reason: ActionReason },
  now: number,
  options: OwnerOptions,
): Plan {
  const { tenant, cluster, alert_id: alertId, event_id: eventId, target, context } = request;
  // Who is not asked need not be told.
  const actions = noticesBehind(rule.actions.filter(({ asks }) => asks !== true || state === 'awaiting_approval'));
  const steps = actions.map(
    ({ action, actionner, class: actionClass, provable, asks }): Step => ({
      intent_key: intentKey(tenant, rule.id, action, alertId, target),
      action,
      actionner,
      class: actionClass,
      // What can be proven waits for its turn, as if it were to be done.
      ...((state === 'simulated' && provable === true) || asks === true ? PROVING : { state, reason }),
      version: 1,
      attempt: 0,
      incarnation: options.incarnation,
    }),
  );
  const plan: Plan = {
    v: 1,
    key,
    tenant,
    cluster,
    rule_id: rule.id,
    rule_version: rule.version,
    mode: rule.mode,
    alert_id: alertId,
    ...(eventId !== undefined && { event_id: eventId }),
    target,
    at: now,
    expires_at: now + options.alertLifeMs + Math.max(rule.cooldownMs, ...rule.limits.map(({ windowMs }) => windowMs)),
    steps,
    ...(steps.some((step) => step.reason === 'queued' || step.reason === 'approval_needed') && {
      todo: { actions: actions.map((action) => ({ ...action, lane: laneFor(action.lane, request) })), context },
    }),
  };
  return state === 'awaiting_approval' ? { ...plan, approval: approvalFor(plan, rule, now) } : plan;
}

function laneFor(lane: Lane, { tenant, cluster }: ActionRequest): Lane {
  return lane.perCluster === true ? { ...lane, name: `${lane.name}/${tenant}/${cluster}` } : lane;
}

/** Known before anybody is asked, and looked at again on the pod itself. */
function isProtected({ context }: ActionRequest, rule: CompiledRule, { policy }: RuleSet): boolean {
  const namespace = context.fields['namespace'] ?? context.fields['k8s.ns.name'];
  return rule.class >= REVERSIBLE && typeof namespace === 'string' && policy.protectsNamespace(namespace);
}
