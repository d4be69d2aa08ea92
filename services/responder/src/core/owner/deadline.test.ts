import type { ActionRequest } from '@eyrie/schemas';
import { ResponseRule } from '@eyrie/schemas/rule';
import { describe, expect, it } from 'vitest';
import { CLUSTER_LANE, TIMES } from '../../actions/kubernetes/common.ts';
import { compileRule } from '../rules/compile.ts';
import { type RuleSet, ruleSet } from '../rules/rule-set.ts';
import { decide } from './decide.ts';
import { type Call, type EffectResult, evolve, type LedgerLine, type OwnerInput } from './decision.ts';
import { emptyState } from './state.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const AWAY: EffectResult = { kind: 'retry', reason: 'http_5xx' };

/** A rule as one writes it, its actions with the times they have by default. */
function rules(written: object = {}): RuleSet {
  const rule = ResponseRule.parse({
    rule: 'R',
    id: 'r',
    mode: 'enforce',
    match: { rules: ['R'] },
    actions: [{ action: 'mark', actionner: 'kubernetes:label', ...written }],
  });
  const check = () => ({ ok: true, class: 2, parameters: {}, lane: CLUSTER_LANE }) as const;
  const compiled = compileRule(rule, 'r.yaml', '', { 'kubernetes:label': { ...TIMES, check } });
  if (!('rule' in compiled)) throw new Error(JSON.stringify(compiled.problems));
  return ruleSet([compiled.rule]);
}

/** An owner whose calls all end at once, as `far` says for the moment (milliseconds since the match). */
function live(set: RuleSet, targets: number, far: (now: number) => EffectResult, jitter = 0.5) {
  const state = emptyState();
  const ledger: LedgerLine[] = [];
  let calls: Call[] = [];
  const options = {
    incarnation: 'i',
    alertLifeMs: 32 * 24 * 60 * MINUTE,
    plansMax: 1_000,
    notifyDeadlineMs: 24 * 60 * MINUTE,
    partitions: 1,
    jitter,
  };
  const give = (input: OwnerInput, now: number, incarnation = 'i') => {
    const decision = decide(state, input, set, now, { ...options, incarnation });
    evolve(state, decision);
    ledger.push(...decision.ledger);
    calls.push(...decision.calls);
  };
  for (let target = 0; target < targets; target += 1) {
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
  }
  return {
    give,
    until: (end: number, from = 0) => {
      for (let now = from; now <= end; now += 100) {
        give({ kind: 'overdue' }, now);
        give({ kind: 'start' }, now);
        const begun = calls;
        calls = [];
        for (const { plan, step } of begun) give({ kind: 'result', plan: plan.key, step, result: far(now) }, now);
      }
    },
    begin: (now: number) => {
      give({ kind: 'start' }, now);
      const begun = calls;
      calls = [];
      return begun;
    },
    endings: () => {
      const last = new Map(ledger.map((line) => [line.intent_key, `${line.state} ${line.reason}`]));
      return [...new Set(last.values())];
    },
  };
}

describe('an API server that is away', () => {
  it.each([0, 0.5, 1])('for four minutes: what waited is done, with jitter %d', (jitter) => {
    const owner = live(rules(), 40, (now) => (now < 4 * MINUTE ? AWAY : { kind: 'succeeded' }), jitter);
    owner.until(5 * MINUTE);
    expect(owner.endings()).toEqual(['succeeded done']);
  });

  it('for longer than the deadline: what waited is denied, also what its lane never let begin', () => {
    const owner = live(rules(), 40, () => AWAY);
    owner.until(5 * MINUTE);
    expect(owner.endings()).toEqual(['denied deadline']);
  });

  it('with attempts in the rule: those end it', () => {
    const retry = { attempts: 2, backoff: '1s..1s' };
    const owner = live(rules({ retry }), 1, () => AWAY);
    owner.until(MINUTE);
    expect(owner.endings()).toEqual(['failed http_5xx']);
  });
});

describe('beyond the deadline', () => {
  it('nothing is begun that waited while nobody was there', () => {
    const owner = live(rules(), 40, () => ({ kind: 'succeeded' }));
    owner.until(6 * MINUTE, 6 * MINUTE);
    expect(owner.endings()).toEqual(['denied deadline']);
  });

  it.each(['timeout', 'network'] as const)('what may have been done (%s) is unknown, not denied', (reason) => {
    let answer: EffectResult = { kind: 'ambiguous', reason };
    const owner = live(rules(), 1, () => answer);
    owner.until(MINUTE);
    answer = AWAY;
    owner.until(6 * MINUTE, MINUTE);
    expect(owner.endings()).toEqual(['unknown deadline']);
  });

  it('what a dead process had begun is unknown; before the deadline it is looked at again', () => {
    for (const [now, ending] of [
      [4 * MINUTE, 'planned crash'],
      [5 * MINUTE, 'unknown crash'],
    ] as const) {
      const owner = live(rules(), 1, () => AWAY);
      expect(owner.begin(0)).toHaveLength(1);
      owner.give({ kind: 'recover' }, now, 'another');
      expect(owner.endings()).toEqual([ending]);
    }
  });
});
