import { createHash } from 'node:crypto';
import type { ActionReason, ActionState, ApprovalRequest } from '@eyrie/schemas';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { CompiledRule } from '../rules/compiled.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type Decision, type LedgerLine, NOTHING } from './decision.ts';
import { advance, settle } from './ledger.ts';
import type { Approval, OwnerState, Plan, Step } from './state.ts';

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
  const approved = moveAll(plan, 'awaiting_approval', { state: 'approved', reason: 'approved' }, now, {
    ...request,
    by: by.join(', '),
  });
  const { approval, ...answered } = approved.plan;
  const queued = moveAll({ ...answered, approved_at: now }, 'approved', { state: 'planned', reason: 'queued' }, now);
  return { ...NOTHING, plans: [queued.plan], ledger: [...approved.lines, ...queued.lines] };
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

/** Nothing of it is done. */
function close(plan: Plan, state: ActionState, reason: ActionReason, now: number, word: Word = {}): Decision {
  const closed = moveAll(plan, 'awaiting_approval', { state, reason }, now, word);
  const { approval, ...answered } = closed.plan;
  return { ...NOTHING, plans: [settle(answered)], ledger: closed.lines };
}

interface Word {
  readonly by?: string;
  readonly note?: string;
}

/** Every step in one state gets another. */
function moveAll(
  plan: Plan,
  from: ActionState,
  to: Pick<Step, 'state' | 'reason'>,
  now: number,
  { by, note }: Word = {},
): { readonly plan: Plan; readonly lines: readonly LedgerLine[] } {
  const lines: LedgerLine[] = [];
  let left = plan;
  for (const [index, step] of plan.steps.entries()) {
    if (step.state !== from) continue;
    const next = advance(left, index, to, now, note, by);
    left = next.plan;
    lines.push(next.line);
  }
  return { plan: left, lines };
}
