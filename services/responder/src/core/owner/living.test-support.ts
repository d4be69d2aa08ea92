import type { ActionRequest } from '@eyrie/schemas';
import { ResponseRule } from '@eyrie/schemas/rule';
import { CLUSTER_LANE, TIMES } from '../../actions/kubernetes/common.ts';
import { compileRule } from '../rules/compile.ts';
import type { ActionCatalog } from '../rules/compiled.ts';
import { type RuleSet, ruleSet } from '../rules/rule-set.ts';
import { decide } from './decide.ts';
import {
  type Call,
  type EffectResult,
  evolve,
  type LedgerLine,
  type OwnerInput,
  type OwnerOptions,
} from './decision.ts';
import { emptyState } from './state.ts';

const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const AWAY: EffectResult = { kind: 'retry', reason: 'http_5xx' };

const CATALOG: ActionCatalog = {
  'kubernetes:label': {
    ...TIMES,
    check: () => ({ ok: true, class: 2, parameters: {}, lane: CLUSTER_LANE }),
  },
  'webhook:post': {
    recovery: 'repeat',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: () => ({ ok: true, class: 0, parameters: {}, lane: { name: 'webhook', max: 1, intervalMs: 0 } }),
  },
};

/** A rule as one writes it, its actions with the times they have by default: one of a cluster, where none are given. */
export function rules(written: object = {}, actions: readonly object[] = [{}]): RuleSet {
  const rule = ResponseRule.parse({
    rule: 'R',
    id: 'r',
    mode: 'enforce',
    match: { rules: ['R'] },
    actions: actions.map((one) => ({ action: 'mark', actionner: 'kubernetes:label', ...written, ...one })),
  });
  const compiled = compileRule(rule, 'r.yaml', '', CATALOG);
  if (!('rule' in compiled)) throw new Error(JSON.stringify(compiled.problems));
  return ruleSet([compiled.rule]);
}

/** An owner whose calls all end at once, as `far` says for the moment (milliseconds since the match). */
export function live(
  set: RuleSet,
  targets: number,
  far: (now: number, call: Call) => EffectResult,
  more: Partial<OwnerOptions> = {},
) {
  const state = emptyState();
  const ledger: LedgerLine[] = [];
  let calls: Call[] = [];
  const options: OwnerOptions = {
    incarnation: 'i',
    alertLifeMs: 32 * 24 * HOUR,
    plansMax: 1_000,
    noticesMax: 1_000,
    notifyDeadlineMs: 24 * HOUR,
    partitions: 1,
    jitter: 0.5,
    ...more,
  };
  const give = (input: OwnerInput, now: number, incarnation = 'i') => {
    const decision = decide(state, input, set, now, { ...options, incarnation });
    evolve(state, decision);
    ledger.push(...decision.ledger);
    calls.push(...decision.calls);
  };
  const ask = (target: number) => {
    const context = { rule: 'R', priority: 'Notice', summary: '', fields: {} };
    const about = {
      kind: 'match',
      tenant: 't',
      cluster: 'c',
      rule_id: 'r',
      alert_id: `a${target}`,
      target: `p${target}`,
      context,
    };
    give({ kind: 'request', request: about as unknown as ActionRequest }, 0);
  };
  for (let target = 0; target < targets; target += 1) ask(target);
  return {
    give,
    state,
    ask,
    until: (end: number, { from = 0, stepMs = 100 } = {}) => {
      for (let now = from; now <= end; now += stepMs) {
        give({ kind: 'overdue' }, now);
        give({ kind: 'start' }, now);
        const begun = calls;
        calls = [];
        for (const call of begun) {
          give({ kind: 'result', plan: call.plan.key, step: call.step, result: far(now, call) }, now);
        }
      }
    },
    begin: (now: number) => {
      give({ kind: 'start' }, now);
      const begun = calls;
      calls = [];
      return begun;
    },
    /** The last state and reason of every intent of the action, each once. */
    endings: (action = 'mark') => {
      const last = new Map<string, string>();
      for (const line of ledger) if (line.action === action) last.set(line.intent_key, `${line.state} ${line.reason}`);
      return [...new Set(last.values())];
    },
  };
}
