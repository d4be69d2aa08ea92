import { type ActionRequest, type AlertId, type ClusterId, EVENT_COLUMNS, type TenantId } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import type { LedgerLine, OwnerOptions } from '../owner/decision.ts';
import { buildRequest, intentKey } from '../request.ts';
import type { CompiledRule, PlannedAction } from '../rules/compiled.ts';
import { ruleSet } from '../rules/rule-set.ts';
import { Counts, Peak } from './counts.ts';
import { LedgerDiff } from './ledger-diff.ts';
import { answerCall, type GuardSource, type LiveIntent, LiveLedger } from './live-ledger.ts';
import { storedEvent } from './stored-event.ts';
import { Tally } from './tally.ts';
import { VirtualOwner } from './virtual-owner.ts';
import { workloadKey } from './workload-key.ts';

const OPTIONS: OwnerOptions = {
  incarnation: 'simulation',
  alertLifeMs: 32 * 86_400_000,
  noticesMax: 1_000_000,
  plansMax: 1_000,
  notifyDeadlineMs: 1,
  partitions: 1,
  jitter: 0,
};

const action = (name: string, more: Partial<PlannedAction> = {}): PlannedAction => ({
  action: name,
  actionner: 'test:act',
  class: 1,
  parameters: {},
  recovery: 'once',
  lane: { name: 'test', max: 1, intervalMs: 1_000 },
  timeoutMs: 1_000,
  attempts: 1,
  backoff: { initialMs: 1, maximumMs: 1 },
  onError: 'stop',
  ...more,
});
const rule = (more: Partial<CompiledRule> = {}): CompiledRule => ({
  id: 'r',
  name: 'R',
  file: 'r.yaml',
  version: '1',
  mode: 'enforce',
  class: 1,
  match: {},
  approval: { quorum: 1, ttlMs: 1_000 },
  authors: [],
  includeSuppressed: false,
  cooldownMs: 0,
  limits: [],
  actions: [action('act')],
  tests: [],
  ...more,
});

const request = (of: CompiledRule, alert: number, target: string, fields = {}): ActionRequest => ({
  ...buildRequest(
    of,
    {
      tenant: 't' as TenantId,
      cluster: 'c' as ClusterId,
      alert_id: `alert${alert}` as AlertId,
      alert_version: 1,
      target,
      at: 0,
    },
    { rule: 'x', priority: 'Notice', summary: '', fields },
  ),
  mac: '',
});

/** Requests at their moments through one owner into a tally and a diff, as a simulation does it. */
function run(of: CompiledRule, asked: readonly (readonly [at: number, ActionRequest])[], live = new LiveLedger()) {
  const rules = ruleSet([of]);
  let guards = new Map<string, GuardSource>();
  const owner = new VirtualOwner(rules, OPTIONS, (call) => {
    const { source, result } = answerCall(call, live.get(call.intent.intent_key));
    guards.set(call.intent.intent_key, source);
    return result;
  });
  const tally = new Tally(rules);
  const diff = new LedgerDiff(live, 0);
  const all: LedgerLine[] = [];
  for (const [at, one] of asked) {
    guards = new Map();
    for (const [intent, lines] of Map.groupBy(owner.take(one, at), (line) => line.intent_key)) {
      all.push(...lines);
      tally.add(lines, one, guards.get(intent) ?? 'none');
      diff.add(lines);
    }
  }
  return { lines: all.map(({ state, reason }) => `${state} ${reason}`), outcome: tally.outcomes()[0], tally, diff };
}

describe('an owner on a virtual clock', () => {
  it('begins and ends everything at once, whatever rest the lane wants', () => {
    const two = rule({ actions: [action('one'), action('two')] });
    const { lines, outcome } = run(two, [
      [1, request(two, 1, 'a')],
      [2, request(two, 2, 'b')],
    ]);
    expect(lines.filter((line) => line === 'succeeded done')).toHaveLength(4);
    expect(outcome).toMatchObject({ actions: 4, alerts: 2 });
  });

  it('counts cooldowns and windows by the moments of history', () => {
    const limited = rule({ cooldownMs: 1_000, limits: [{ scope: 'rule', count: 2, windowMs: 5_000 }] });
    const { outcome } = run(limited, [
      [0, request(limited, 1, 'a')],
      [999, request(limited, 2, 'a')],
      [1_000, request(limited, 3, 'a')],
      [1_001, request(limited, 4, 'b')],
      [5_001, request(limited, 5, 'b')],
    ]);
    expect(outcome).toMatchObject({ actions: 3, suppressed: { cooldown: 1, limit_rule: 1 } });
  });

  it('never decides twice on one (alert, target), and forgets plans beyond its bound', () => {
    const plain = rule();
    const again = run(plain, [
      [0, request(plain, 1, 'a')],
      [9, request(plain, 1, 'a')],
    ]);
    expect(again.outcome).toMatchObject({ actions: 1 });
    const many = Array.from({ length: 2_100 }, (_, i) => [i, request(plain, i, 'a')] as const);
    expect(run(plain, [...many, [3_000, request(plain, 0, 'a')]]).outcome).toMatchObject({ actions: 2_101 });
  });
});

describe('guards', () => {
  const asks = rule({ actions: [action('kill', { provable: true }), action('tell')] });
  const key = (alert: number) => intentKey('t', 'r', 'kill', `alert${alert}`, 'a');
  const said = (alert: number, last: LiveIntent['last'], first: LiveIntent['first'] = QUEUED): LiveIntent => ({
    intent_key: key(alert),
    rule_id: 'r',
    alert_id: `alert${alert}`,
    target: 'a',
    first,
    last,
    at: 1,
  });
  const QUEUED = { state: 'planned', reason: 'queued' } as const;

  it('that would ask a cluster are unknown, and known where the ledger holds the answer', () => {
    const live = new LiveLedger();
    live.add(said(1, { state: 'denied', reason: 'standalone' }));
    live.add(said(2, { state: 'succeeded', reason: 'done' }));
    live.add(said(3, { state: 'failed', reason: 'network' }));
    const asked = [1, 2, 3, 4].map((alert) => [alert, request(asks, alert, 'a')] as const);
    const { outcome } = run(asks, asked, live);
    expect(outcome).toMatchObject({
      // Behind the denied one nothing is begun.
      actions: 6,
      guard_unknown: 2,
      guards_from_ledger: 2,
      denied: { standalone: 1 },
      suppressed: { earlier_failed: 1 },
    });
  });

  it('were not asked where the rule itself said no', () => {
    const live = new LiveLedger();
    live.add(
      said(1, { state: 'denied', reason: 'protected_namespace' }, { state: 'denied', reason: 'protected_namespace' }),
    );
    expect(run(asks, [[1, request(asks, 1, 'a')]], live).outcome).toMatchObject({ actions: 2, guard_unknown: 1 });
  });

  it('how an effect ended is no difference, another decision is', () => {
    const live = new LiveLedger();
    const plain = rule({ actions: [action('kill')] });
    live.add(said(1, { state: 'failed', reason: 'network' }));
    live.add(said(2, { state: 'suppressed', reason: 'cooldown' }, { state: 'suppressed', reason: 'cooldown' }));
    live.add(said(9, { state: 'simulated', reason: 'dry_run' }, { state: 'simulated', reason: 'dry_run' }));
    live.add({ ...said(8, { state: 'simulated', reason: 'dry_run' }), at: -1 });
    const asked = [1, 2, 3, 8].map((alert) => [alert, request(plain, alert, 'a')] as const);
    const report = run(plain, asked, live).diff.finish();
    expect(report).toMatchObject({
      same: 1,
      different: 1,
      simulated_only: 1,
      live_only: 1,
      carried_over: 1,
      complete: true,
    });
    expect(report.examples.map(({ alert_id, live: one, simulated }) => [alert_id, one, simulated])).toEqual([
      ['alert2', 'suppressed cooldown', 'acts'],
      ['alert3', undefined, 'acts'],
      ['alert9', 'acts', undefined],
    ]);
  });

  it('says when the ledger holds more than is compared', () => {
    const live = new LiveLedger(1);
    live.add(said(1, QUEUED));
    live.add(said(2, QUEUED));
    expect(new LedgerDiff(live, 0).finish()).toMatchObject({ live_only: 1, complete: false });
  });
});

describe('the tally', () => {
  const day = 86_400_000;

  it('counts by rule, namespace and day, with the busiest minute and day', () => {
    const plain = rule();
    const at = [0, 59_999, 60_000, day, day + 1, day + 2];
    const { outcome, tally } = run(
      plain,
      at.map((moment, i) => [moment, request(plain, i, `pod${i}`, { namespace: i < 3 ? 'shop' : 'bank' })]),
    );
    expect(tally.cells()).toEqual([
      { rule: 'r', namespace: 'shop', day: '1970-01-01', actions: 3 },
      { rule: 'r', namespace: 'bank', day: '1970-01-02', actions: 3 },
    ]);
    expect(outcome).toMatchObject({
      peak_per_minute: { at: '1970-01-02T00:00:00.000Z', actions: 3 },
      peak_per_day: { actions: 3 },
    });
    expect(tally.peakPerMinute).toMatchObject({ actions: 3 });
  });

  it('remembers the targets of each workload', () => {
    const plain = rule();
    const pod = { namespace: 'shop', workload_kind: 'Deployment', workload: 'web' };
    const asked = ['a', 'b', 'a'].map((target, i) => [i, request(plain, i, target, pod)] as const);
    const { tally } = run(plain, [...asked, [9, request(plain, 9, 'host:n')]]);
    expect([...(tally.rule('r')?.targets ?? [])]).toEqual([
      [workloadKey(['t', 'c', 'shop', 'Deployment', 'web']), new Set(['a', 'b'])],
    ]);
  });

  it('holds so many names and no more', () => {
    const counts = new Counts(2);
    for (const name of ['a', 'b', 'c', 'd', 'a', '__proto__']) counts.add(name);
    expect(counts.entries()).toEqual([
      ['a', 2],
      ['b', 1],
      ['(others)', 3],
    ]);
    const peak = new Peak(10);
    expect(peak.best.count).toBe(0);
  });
});

describe('a stored row', () => {
  const row = (values: Readonly<Record<string, unknown>>) =>
    EVENT_COLUMNS.map(({ name, type }) => {
      if (name in values) return values[name];
      if (type.startsWith('Array')) return [];
      return type.startsWith('Nullable') ? null : '';
    });

  it('gives back what the judge saw', () => {
    const { event, judgement, raw } = storedEvent(
      row({
        tenant: 't',
        rule: 'Shell',
        time: '1764000000123456789',
        received_at: '1764000000123',
        outcome: 'opened',
        reason: 'new_fingerprint',
        alert_id: 'a',
        alert_version: 1,
        fp_score: 0.25,
        judged_at: '1764000000200',
        namespace: 'shop',
        workload: 'web',
        pod_uid: 'uid',
        container_id: '0123456789ab',
        privileged: 0,
        clamped: 0,
        tags: ['shell'],
        process_id: '42',
        raw_partition: 1,
        raw_offset: '7',
        raw_index: 0,
        raw: '{"rule":"Shell"}',
      }),
    );
    expect(event).toEqual({
      v: 1,
      tenant: 't',
      rule: 'Shell',
      time: '1764000000123456789',
      received_at: 1_764_000_000_123,
      namespace: 'shop',
      pod_uid: 'uid',
      container_id: '0123456789ab',
      privileged: false,
      tags: ['shell'],
      process_id: 42,
      raw_pos: { partition: 1, offset: 7, index: 0 },
    });
    expect(judgement).toEqual({
      v: 1,
      outcome: 'opened',
      reason: 'new_fingerprint',
      alert_id: 'a',
      alert_version: 1,
      fp_score: 0.25,
      judged_at: 1_764_000_000_200,
      identity: { namespace: 'shop', workload: 'web', pod_uid: 'uid', container_id: '0123456789ab' },
    });
    expect(raw).toBe('{"rule":"Shell"}');
  });
});
