import type { ActionRequest, AlertId, ClusterId, EventId, Priority, TenantId } from '@eyrie/schemas';
import { decide } from '../owner/decide.ts';
import { evolve, type OwnerOptions } from '../owner/decision.ts';
import { emptyState, type Plan } from '../owner/state.ts';
import { DEFAULT_POLICY, type Policy } from '../policy/policy.ts';
import { buildRequest } from '../request.ts';
import type { CompiledRule } from './compiled.ts';
import type { Fields } from './conditions.ts';
import { matchRule, type Subject } from './match.ts';
import { ruleSet } from './rule-set.ts';

/** A detection of a rule's test, whether written in the rule or read from a fixture. */
export interface TestDetection {
  readonly rule: string;
  readonly priority: Priority;
  readonly source: string;
  readonly tags: readonly string[];
  readonly output_fields: Fields;
}

const OPTIONS: OwnerOptions = {
  incarnation: 'test',
  alertLifeMs: 0,
  plansMax: 10_000,
  noticesMax: 10_000,
  notifyDeadlineMs: 0,
  partitions: 1,
  jitter: 0,
};

/** Runs one test of a rule through the code that runs in production. Undefined: it holds; otherwise what differs. */
export function runRuleTest(
  rule: CompiledRule,
  test: CompiledRule['tests'][number],
  detection: TestDetection,
  policy: Policy = DEFAULT_POLICY,
): string | undefined {
  const found = decideTest(rule, test.given, detection, policy);
  const { decision, plan, reason } = test.expect;
  if (found.decision !== decision) return `expected ${decision}, found ${found.decision} (${found.reason})`;
  if (reason !== undefined && found.reason !== reason) return `expected reason ${reason}, found ${found.reason}`;
  if (plan !== undefined && JSON.stringify(plan) !== JSON.stringify(found.plan)) {
    return `expected plan [${plan.join(', ')}], found [${found.plan.join(', ')}]`;
  }
  return undefined;
}

/** What the code that runs in production decides of a test's input. */
export function decideTest(
  rule: CompiledRule,
  given: Omit<CompiledRule['tests'][number]['given'], 'event' | 'fixture'>,
  detection: TestDetection,
  policy: Policy,
): { readonly decision: string; readonly reason: string; readonly plan: readonly string[] } {
  const { rule: name, priority } = detection;
  const source = detection.source === 'syscalls' ? 'syscall' : detection.source;
  const subject: Subject = {
    rule: name,
    priority,
    source,
    tags: detection.tags,
    ...(given.score !== undefined && { fpScore: given.score }),
    hidden: given.suppressed,
    columns: () => ({ rule: name, priority, source, tenant: 'test', cluster: 'test', ...given.columns }),
  };
  const matched = matchRule(rule, subject, () => detection.output_fields);
  if (matched !== 'matched') return { decision: 'no_match', reason: matched, plan: [] };
  const state = emptyState();
  const rules = ruleSet([rule], policy);
  let last: Plan | undefined;
  for (let i = 0; i < given.repeat; i += 1) {
    const admitted = decide(
      state,
      { kind: 'request', request: testRequest(rule, detection, given.columns, i) },
      rules,
      i,
      OPTIONS,
    );
    evolve(state, admitted);
    last = admitted.plans[0];
  }
  // Who asks persons does so at once; what they are asked decides.
  const step = last?.steps.find(({ state }) => state === 'awaiting_approval') ?? last?.steps[0];
  // A plan that waits for its turn would begin; in dry_run what can be proven waits as well, and is simulated.
  const begun = rule.mode === 'dry_run' ? 'simulated' : 'executing';
  const decision = step?.reason === 'queued' ? begun : (step?.state ?? 'no_match');
  const plan = last === undefined ? [] : rule.actions.map(({ action }) => action);
  return { decision, reason: step?.reason ?? '', plan };
}

function testRequest(
  rule: CompiledRule,
  detection: TestDetection,
  columns: Readonly<Record<string, string | number | boolean>>,
  index: number,
): ActionRequest {
  const cause = {
    tenant: 'test' as TenantId,
    cluster: 'test' as ClusterId,
    alert_id: `alert-${index}` as AlertId,
    alert_version: 1,
    event_id: `event-${index}` as EventId,
    target: 'target',
    at: index,
  };
  const context = {
    rule: detection.rule,
    priority: detection.priority,
    summary: '',
    fields: { ...scalars(detection.output_fields), ...columns },
  };
  return { ...buildRequest(rule, cause, context), mac: '' };
}

function scalars(fields: Fields): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') found[name] = value;
  }
  return found;
}
