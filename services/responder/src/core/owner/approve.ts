import { createHash } from 'node:crypto';
import type { ActionReason, ActionState, ApprovalRequest } from '@eyrie/schemas';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { CompiledRule } from '../rules/compiled.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type Decision, type LedgerLine, NOTHING } from './decision.ts';
import { advance, settle } from './ledger.ts';
import type { Approval, OwnerState, Plan } from './state.ts';

/** Approvals that ended and are written in one step, so that a step stays small. */
const AT_ONCE = 1_000;

/** What a new plan waits for. */
export function approvalFor(plan: Plan, { approval }: CompiledRule, now: number): Approval {
  return { hash: planHash(plan), quorum: approval.quorum, until: now + approval.ttlMs, by: [] };
}

/** Over all that would be done and where: what persons approve, and nothing else. 32 hex digits. */
function planHash({ key, cluster, rule_version: version, todo }: Plan): string {
  const parts = [key, cluster, version, todo?.actions, todo?.context];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/**
 * A person's word. It has no effect on a plan that does not wait (any more), on another hash than the person saw, and from those
 * who wrote the rule or the policy. A person counts once. Guards are asked when the action begins, so after the approval.
 */
export function approve(state: OwnerState, request: ApprovalRequest, rules: RuleSet, now: number): Decision {
  const plan = state.plans.get(request.plan);
  const waiting = plan?.approval;
  if (plan === undefined || waiting === undefined || plan.tenant !== request.tenant) return NOTHING;
  if (request.plan_hash !== waiting.hash || waiting.until <= now || request.at < plan.at) return NOTHING;
  if (request.decision === 'deny') return close(plan, 'rejected', 'rejected', now, request);
  const rule = rules.byId.get(plan.rule_id);
  if (rule === undefined) return close(plan, 'suppressed', 'rule_gone', now);
  if (isAuthor(request.by, rule, rules) || waiting.by.includes(request.by)) return NOTHING;
  const by = [...waiting.by, request.by];
  if (by.length < waiting.quorum) return { ...NOTHING, plans: [{ ...plan, approval: { ...waiting, by } }] };
  const approved = close(plan, 'approved', 'approved', now, { ...request, by: by.join(', ') });
  return queue(approved, now);
}

function isAuthor(person: string, rule: CompiledRule, { policy }: RuleSet): boolean {
  return rule.authors.includes(person) || (rule.class >= REVERSIBLE && policy.authors.includes(person));
}

/** Those whose time is over are not done. */
export function expireApprovals(state: OwnerState, now: number): Pick<Decision, 'plans' | 'ledger'> {
  const plans: Plan[] = [];
  const ledger: LedgerLine[] = [];
  for (const [key, until] of state.awaiting) {
    if (plans.length === AT_ONCE) break;
    const plan = until <= now ? state.plans.get(key) : undefined;
    if (plan === undefined) continue;
    const ended = close(plan, 'expired', 'approval_expired', now);
    plans.push(...ended.plans);
    ledger.push(...ended.ledger);
  }
  return { plans, ledger };
}

/** Every step that waits gets its answer. */
function close(
  plan: Plan,
  to: ActionState,
  reason: ActionReason,
  now: number,
  word: { readonly by?: string; readonly note?: string } = {},
): Decision {
  const ledger: LedgerLine[] = [];
  let left = plan;
  for (const [index, step] of plan.steps.entries()) {
    if (step.state !== 'awaiting_approval') continue;
    const next = advance(left, index, { state: to, reason }, now, word.note, word.by);
    left = next.plan;
    ledger.push(next.line);
  }
  const { approval, ...answered } = left;
  return { ...NOTHING, plans: [to === 'approved' ? answered : settle(answered)], ledger };
}

/** What was approved waits for its turn. */
function queue(decision: Decision, now: number): Decision {
  const ledger: LedgerLine[] = [...decision.ledger];
  const plans = decision.plans.map((plan) => {
    let left: Plan = { ...plan, approved_at: now };
    for (const [index, step] of plan.steps.entries()) {
      if (step.state !== 'approved') continue;
      const next = advance(left, index, { state: 'planned', reason: 'queued' }, now);
      left = next.plan;
      ledger.push(next.line);
    }
    return left;
  });
  return { ...decision, plans, ledger };
}
