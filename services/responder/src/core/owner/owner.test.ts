import type { ActionMode, ActionRequest, AlertId, ClusterId, TenantId } from '@eyrie/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../policy/policy.ts';
import type { CompiledRule, LimitScope, PlannedAction, Recovery, ScopedLimit } from '../rules/compiled.ts';
import { NO_RULES, type RuleSet, ruleSet } from '../rules/rule-set.ts';
import { nextBegin } from './begin.ts';
import { restoreEntry, stateChanges } from './codec.ts';
import { decide } from './decide.ts';
import { type Call, type Decision, type EffectResult, evolve, type LedgerLine, type OwnerInput } from './decision.ts';
import { emptyState, type OwnerState } from './state.ts';

const RUNS = 300;

function action(name: string, recovery: Recovery, onError: 'stop' | 'continue' = 'continue'): PlannedAction {
  return {
    action: name,
    actionner: recovery,
    class: 1,
    parameters: {},
    recovery,
    lane: { name: recovery, max: 2, intervalMs: 0 },
    timeoutMs: 1_000,
    attempts: 3,
    backoff: { initialMs: 10, maximumMs: 20 },
    onError,
  };
}

function oneRule(mode: ActionMode, more: Partial<CompiledRule> = {}): RuleSet {
  const rule: CompiledRule = {
    id: 'r',
    name: 'r',
    file: 'r.yaml',
    version: '1',
    mode,
    class: 1,
    match: {},
    approval: { quorum: 1, ttlMs: 1_000 },
    authors: [],
    includeSuppressed: false,
    cooldownMs: 0,
    limits: [],
    actions: [action('script', 'never'), action('slack', 'once'), action('hook', 'repeat')],
    tests: [],
    ...more,
  };
  return ruleSet([rule]);
}

function request(alert: number, target: number): ActionRequest {
  return {
    v: 1,
    id: `${alert}/${target}`,
    kind: 'match',
    tenant: 't' as TenantId,
    cluster: 'c' as ClusterId,
    rule_id: 'r',
    rule_version: '1',
    alert_id: `a${alert}` as AlertId,
    alert_version: 1,
    target: `pod${target}`,
    at: 0,
    context: { rule: 'x', priority: 'Notice', summary: '', fields: {} },
    mac: '',
  };
}

/** A process that can die between any two of: decided, durable, called, answered, answer durable. */
class World {
  readonly disk = new Map<string, Buffer>();
  readonly ledger: LedgerLine[] = [];
  readonly called = new Map<string, number>();
  state: OwnerState = emptyState();
  inFlight: Call[] = [];
  incarnation = 0;
  partitions = 1;
  now = 0;
  readonly rules: RuleSet;
  readonly crashed = { inFlight: 0 };

  constructor(rules: RuleSet) {
    this.rules = rules;
  }

  decide(input: OwnerInput): Decision {
    const options = {
      incarnation: `i${this.incarnation}`,
      alertLifeMs: 1e9,
      plansMax: 1e6,
      noticesMax: 1e6,
      notifyDeadlineMs: 1e9,
      partitions: this.partitions,
      jitter: 0.5,
    };
    return decide(this.state, input, this.rules, this.now, options);
  }

  /** Atomic, as the bus promises. */
  commit(decision: Decision): void {
    for (const [key, value] of stateChanges(decision))
      value === null ? this.disk.delete(key) : this.disk.set(key, value);
    this.ledger.push(...decision.ledger);
    evolve(this.state, decision);
  }

  call(calls: readonly Call[]): void {
    for (const call of calls) {
      const { intent_key: key } = call.intent;
      this.called.set(key, (this.called.get(key) ?? 0) + 1);
      this.inFlight.push(call);
    }
  }

  answer(result: EffectResult): void {
    const call = this.inFlight.shift();
    if (call === undefined) return;
    this.commit(this.decide({ kind: 'result', plan: call.plan.key, step: call.step, result }));
  }

  crash(): void {
    this.crashed.inFlight += this.inFlight.length;
    this.inFlight = [];
    this.incarnation += 1;
    this.state = emptyState();
    // In the order of keys, as a log restores.
    for (const key of [...this.disk.keys()].sort()) {
      expect(restoreEntry(this.state, key, this.disk.get(key) ?? Buffer.alloc(0))).toBe('taken');
    }
    this.commit(this.decide({ kind: 'recover' }));
  }

  finish(): void {
    for (let i = 0; i < 10_000 && this.state.active > 0; i += 1) {
      this.now += 100;
      const decision = this.decide({ kind: 'start' });
      this.commit(decision);
      this.call(decision.calls);
      while (this.inFlight.length > 0) this.answer({ kind: 'succeeded' });
    }
  }
}

const results = fc.oneof(
  fc.constant<EffectResult>({ kind: 'succeeded' }),
  fc.constant<EffectResult>({ kind: 'failed', reason: 'http_4xx' }),
  fc.constant<EffectResult>({ kind: 'denied', reason: 'other_pod' }),
  fc.constant<EffectResult>({ kind: 'retry', reason: 'http_429' }),
  fc.constant<EffectResult>({ kind: 'retry', reason: 'http_4xx', afterMs: 50, isOwn: true }),
  fc.constant<EffectResult>({ kind: 'ambiguous', reason: 'timeout' }),
);
const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ move: fc.constant('request' as const), alert: fc.nat(4), target: fc.nat(2) }) },
    {
      weight: 4,
      arbitrary: fc.record({ move: fc.constant('start' as const), die: fc.constantFrom('', '', 'decided', 'durable') }),
    },
    { weight: 4, arbitrary: fc.record({ move: fc.constant('answer' as const), result: results }) },
    { weight: 1, arbitrary: fc.record({ move: fc.constant('crash' as const) }) },
  ),
  { maxLength: 60 },
);

function play(world: World, history: typeof moves extends fc.Arbitrary<infer T> ? T : never): Set<string> {
  const asked = new Set<string>();
  for (const step of history) {
    world.now += 7;
    if (step.move === 'request') {
      asked.add(`a${step.alert}/pod${step.target}`);
      world.commit(world.decide({ kind: 'request', request: request(step.alert, step.target) }));
    } else if (step.move === 'answer') world.answer(step.result);
    else if (step.move === 'crash') world.crash();
    else {
      const decision = world.decide({ kind: 'start' });
      if (step.die === 'decided') {
        world.crash();
        continue;
      }
      world.commit(decision);
      if (step.die === 'durable') world.crash();
      else world.call(decision.calls);
    }
  }
  return asked;
}

const ENDED = new Set(['succeeded', 'failed', 'denied', 'unknown', 'suppressed']);

describe('the owner of a partition', () => {
  it('whenever it dies: a script never twice, Slack at most once more, nothing lost, every ledger in order', () => {
    fc.assert(
      fc.property(moves, (history) => {
        const world = new World(oneRule('enforce'));
        const asked = play(world, history);
        world.finish();
        const last = new Map<string, LedgerLine>();
        for (const line of world.ledger) {
          expect(line.version).toBe((last.get(line.intent_key)?.version ?? 0) + 1);
          last.set(line.intent_key, line);
        }
        expect(last.size).toBe(asked.size * 3);
        for (const [key, line] of last) {
          const times = world.called.get(key) ?? 0;
          expect(ENDED.has(line.state), `${line.action} ${line.state}`).toBe(true);
          if (
            line.actionner === 'never' &&
            !world.ledger.some((one) => one.intent_key === key && one.reason.startsWith('http_4'))
          )
            expect(times).toBeLessThanOrEqual(1);
          const ambiguous = world.ledger.filter((one) => one.intent_key === key && one.state === 'unknown').length;
          if (line.actionner === 'once') expect(ambiguous).toBeLessThanOrEqual(2);
          if (line.state === 'succeeded') expect(times).toBeGreaterThanOrEqual(1);
        }
        expect(world.state.active).toBe(0);
        for (const lane of world.state.lanes.values()) expect([lane.running, lane.waiting.size]).toEqual([0, 0]);
      }),
      { numRuns: RUNS },
    );
  });

  it('would be found out if recovery repeated scripts (negative control)', () => {
    const wrong = oneRule('enforce', { actions: [{ ...action('script', 'repeat'), actionner: 'never' }] });
    const found = fc.check(
      fc.property(moves, (history) => {
        const world = new World(wrong);
        play(world, history);
        world.finish();
        const again = new Set(
          world.ledger.filter(({ reason }) => reason.startsWith('http_4')).map((line) => line.intent_key),
        );
        return [...world.called].every(([key, times]) => times <= 1 || again.has(key));
      }),
      { numRuns: 200 },
    );
    expect(found.failed).toBe(true);
  });

  it('never has more running than a lane allows', () => {
    fc.assert(
      fc.property(moves, (history) => {
        const world = new World(oneRule('enforce', { actions: [action('script', 'never')] }));
        for (let i = 1; i <= history.length; i += 1) {
          const part = new World(world.rules);
          play(part, history.slice(0, i));
          const running = [...part.state.plans.values()]
            .flatMap((plan) => plan.steps)
            .filter(({ state }) => state === 'executing');
          expect(running.length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
  });

  const states = (world: World) => world.ledger.map(({ state, reason }) => `${state} ${reason}`);
  const ask = (world: World, alert: number, target: number) =>
    world.commit(world.decide({ kind: 'request', request: request(alert, target) }));
  const one = { actions: [action('script', 'never')] };

  it('cools down per target, limits per rule, in a sliding window, across a crash', () => {
    const world = new World(
      oneRule('dry_run', { ...one, cooldownMs: 1_000, limits: [{ scope: 'rule', count: 2, windowMs: 5_000 }] }),
    );
    ask(world, 1, 1);
    ask(world, 2, 1);
    world.crash();
    ask(world, 3, 2);
    ask(world, 4, 3);
    world.now = 5_001;
    ask(world, 5, 1);
    expect(states(world)).toEqual([
      'simulated dry_run',
      'suppressed cooldown',
      'simulated dry_run',
      'suppressed limit_rule',
      'simulated dry_run',
    ]);
  });

  const place = (alert: number, fields: Record<string, string>, cluster = 'c'): ActionRequest => ({
    ...request(alert, alert),
    cluster: cluster as ClusterId,
    context: { rule: 'x', priority: 'Notice', summary: '', fields },
  });
  const once = (scope: LimitScope): ScopedLimit => ({ scope, count: 1, windowMs: 1_000 });

  it.each<[LimitScope, Record<string, string>, Record<string, string>, string]>([
    ['target', {}, {}, 'simulated'],
    ['workload', { workload: 'web', namespace: 'a' }, { workload: 'web', namespace: 'a' }, 'suppressed'],
    ['workload', { workload: 'web', namespace: 'a' }, { workload: 'web', namespace: 'b' }, 'simulated'],
    ['workload', {}, {}, 'simulated'],
  ])('limits of a rule by %s: %o, then %o', (scope, first, second, state) => {
    const world = new World(oneRule('dry_run', { ...one, limits: [once(scope)] }));
    for (const [alert, fields] of [first, second].entries()) {
      world.commit(world.decide({ kind: 'request', request: place(alert, fields) }));
    }
    expect(world.ledger.at(-1)?.state).toBe(state);
  });

  it('five replicas attacked are five plans, each with its target, and a limit says how many act', () => {
    const world = new World(oneRule('dry_run', { ...one, limits: [{ ...once('workload'), count: 3 }] }));
    for (let alert = 0; alert < 5; alert += 1) {
      world.commit(
        world.decide({ kind: 'request', request: { ...place(1, { workload: 'web' }), target: `pod${alert}` } }),
      );
    }
    expect(world.ledger.map(({ target, reason }) => `${target} ${reason}`)).toEqual([
      'pod0 dry_run',
      'pod1 dry_run',
      'pod2 dry_run',
      'pod3 limit_workload',
      'pod4 limit_workload',
    ]);
  });

  const policyOf = (limits: readonly ScopedLimit[]) => ({ ...DEFAULT_POLICY, limits });
  const disruptive = { ...one, class: 3 as const };
  const decisions = (rules: RuleSet, requests: readonly ActionRequest[], partitions = 1) => {
    const world = new World(rules);
    world.partitions = partitions;
    for (const asked of requests) world.commit(world.decide({ kind: 'request', request: asked }));
    return world.ledger.map(({ reason }) => reason);
  };

  it.each<[LimitScope, ActionRequest, ActionRequest]>([
    ['namespace', place(1, { namespace: 'a' }), place(2, { namespace: 'b' })],
    ['namespace', place(1, { namespace: 'a' }), place(2, { namespace: 'a' }, 'other')],
    ['node', place(1, { host: 'n1' }), place(2, { host: 'n2' })],
    ['tenant', place(1, {}), { ...place(2, {}), tenant: 'u' as TenantId }],
  ])(
    'the policy limits disruptive actions by %s, apart from others and together across rules',
    (scope, first, other) => {
      const two = ruleSet(
        ['r', 's'].map((id) => ({ ...(oneRule('dry_run', disruptive).rules[0] as CompiledRule), id })),
        policyOf([once(scope)]),
      );
      const again = { ...first, alert_id: 'again' as AlertId, rule_id: 's', target: 'another' };
      expect(decisions(two, [first, other, again])).toEqual(['dry_run', 'dry_run', `limit_${scope}`]);
      const harmless = ruleSet(oneRule('dry_run', one).rules, policyOf([once(scope)]));
      expect(decisions(harmless, [first, { ...first, target: 'another' }])).toEqual(['dry_run', 'dry_run']);
    },
  );

  it('the global limit is split among the partitions, and none is left without any', () => {
    const rules = ruleSet(oneRule('dry_run', disruptive).rules, policyOf([{ ...once('global'), count: 5 }]));
    const requests = Array.from({ length: 4 }, (_, i) => ({ ...place(i, {}), tenant: `t${i}` as TenantId }));
    expect(decisions(rules, requests, 2)).toEqual(['dry_run', 'dry_run', 'limit_global', 'limit_global']);
    expect(decisions(rules, requests, 64)).toEqual(['dry_run', 'limit_global', 'limit_global', 'limit_global']);
  });

  it('a protected namespace is denied and counts against no limit', () => {
    const rules = ruleSet(oneRule('enforce', { ...disruptive, limits: [once('rule')] }).rules, policyOf([]));
    const world = new World(rules);
    for (const [alert, namespace] of ['kube-system', 'shop'].entries()) {
      world.commit(world.decide({ kind: 'request', request: place(alert, { namespace }) }));
    }
    expect(states(world)).toEqual(['denied protected_namespace', 'planned queued']);
  });

  it('a node of one cluster does not cool down its namesake in another', () => {
    const world = new World(oneRule('dry_run', { ...one, cooldownMs: 1_000 }));
    const node = (alert: number, cluster: string) =>
      world.commit(
        world.decide({
          kind: 'request',
          request: { ...request(alert, 0), cluster: cluster as ClusterId, target: 'host:node-1' },
        }),
      );
    node(1, 'east');
    node(2, 'west');
    node(3, 'east');
    expect(states(world)).toEqual(['simulated dry_run', 'simulated dry_run', 'suppressed cooldown']);
  });

  it('observe plans and does nothing; a rule taken back no longer acts', () => {
    const watching = new World(oneRule('observe', one));
    ask(watching, 1, 1);
    watching.finish();
    expect(states(watching)).toEqual(['planned observe']);
    const acting = new World(oneRule('enforce', one));
    ask(acting, 1, 1);
    const none = NO_RULES;
    const options = {
      incarnation: 'i',
      alertLifeMs: 1,
      plansMax: 1,
      noticesMax: 1,
      notifyDeadlineMs: 1,
      partitions: 1,
      jitter: 0,
    };
    acting.commit(decide(acting.state, { kind: 'start' }, none, 1, options));
    expect(states(acting)).toEqual(['planned queued', 'suppressed rule_gone']);
  });

  it('stops after a failure, unless the action says to go on', () => {
    const world = new World(
      oneRule('enforce', { actions: [action('first', 'never', 'stop'), action('second', 'repeat')] }),
    );
    ask(world, 1, 1);
    const decision = world.decide({ kind: 'start' });
    world.commit(decision);
    world.call(decision.calls);
    world.answer({ kind: 'failed', reason: 'exit_code', detail: 'exit 1' });
    expect(states(world).slice(-2)).toEqual(['failed exit_code', 'suppressed earlier_failed']);
  });

  const begin = (world: World) => {
    const decision = world.decide({ kind: 'start' });
    world.commit(decision);
    world.call(decision.calls);
    return decision.calls;
  };

  it('in dry_run what can be proven is called to be proven, and never counts as done', () => {
    const provable = { ...action('kill', 'repeat'), provable: true };
    const endings: readonly (readonly [EffectResult, string])[] = [
      [{ kind: 'succeeded' }, 'simulated dry_run'],
      [{ kind: 'denied', reason: 'protected_namespace' }, 'denied protected_namespace'],
      [{ kind: 'failed', reason: 'http_4xx' }, 'simulated not_proven'],
    ];
    for (const [result, ending] of endings) {
      const world = new World(oneRule('dry_run', { actions: [provable, action('tell', 'once')] }));
      ask(world, 1, 1);
      expect(states(world)).toEqual(['planned queued', 'simulated dry_run']);
      expect(begin(world).map(({ dry }) => dry)).toEqual([true]);
      // Whoever comes after a crash proves it again.
      world.crash();
      world.now += 1_000;
      expect(begin(world).map(({ dry }) => dry)).toEqual([true]);
      world.answer(result);
      expect(states(world).at(-1)).toBe(ending);
      expect(world.state.active).toBe(0);
    }
  });

  it('a target that waits for a time of its own holds up no other', () => {
    const world = new World(oneRule('enforce', { actions: [{ ...action('kill', 'repeat'), attempts: 9 }] }));
    ask(world, 1, 1);
    begin(world);
    world.answer({ kind: 'retry', reason: 'http_429', afterMs: 5_000, isOwn: true });
    ask(world, 2, 2);
    expect(nextBegin(world.state)).toBeLessThanOrEqual(world.now);
    expect(begin(world).map(({ plan }) => plan.target)).toEqual(['pod2']);
    expect(nextBegin(world.state)).toBe(5_000);
    world.now = 5_000;
    expect(begin(world).map(({ plan }) => plan.target)).toEqual(['pod1']);
  });

  it('what breaks things and cannot be done in time is denied', () => {
    const world = new World(
      oneRule('enforce', { actions: [{ ...action('kill', 'repeat'), attempts: 9, deadlineMs: 60_000 }] }),
    );
    ask(world, 1, 1);
    begin(world);
    world.now = 60_000;
    world.answer({ kind: 'retry', reason: 'http_5xx' });
    expect(states(world).at(-1)).toBe('denied deadline');
  });

  it('leaves out entries nobody of ours wrote, but no plan and nothing newer', () => {
    const world = new World(oneRule('enforce', one));
    ask(world, 1, 1);
    const [plan = ''] = world.disk.keys();
    const restored = (key: string, text: string) => restoreEntry(emptyState(), key, Buffer.from(text));
    for (const text of ['\u0000\u0001', 'null', '{}', '[]', '1', '']) {
      expect([restored('rnd', text), restored('w/a/b', text), restored('c/a/b', text)]).toEqual(
        Array(3).fill('unreadable'),
      );
      expect(restored(plan, text)).toBe('damaged-plan');
    }
    const whole = world.disk.get(plan)?.toString() ?? '';
    expect([restored(plan, whole), restored(`${plan}x`, whole)]).toEqual(['taken', 'damaged-plan']);
    expect([restored('rnd', '{"v":99}'), restored(plan, '{"v":99}')]).toEqual(['unreadable', 'newer']);
  });

  it('a target known by container first and by pod uid later is the same target', () => {
    const world = new World(oneRule('dry_run', one));
    world.commit(world.decide({ kind: 'request', request: { ...request(1, 1), target: 'c0ffee' } }));
    world.commit(world.decide({ kind: 'request', request: { ...request(1, 1), target: 'uid', alias: 'c0ffee' } }));
    expect(world.ledger).toHaveLength(1);
  });
});
