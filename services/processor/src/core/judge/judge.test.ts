import type { Alert, AlertId, ClusterId, Identity, TenantId, VerdictCommand } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { anEvent, HOUR, MINUTE, NO_DOCUMENTS, someOptions, T0 } from './building.test-support.ts';
import {
  decide,
  entitiesOf,
  evolve,
  type JudgeInput,
  JudgeState,
  restoreState,
  takeChanges,
  waitingEntities,
} from './judge.ts';

const refuse = (key: string) => expect.fail(`${key} was left out`);

function aJudge(options = someOptions()) {
  const changelog = new Map<string, Buffer>();
  let state = new JudgeState(0);
  return {
    get state() {
      return state;
    },
    run(input: JudgeInput, now: number, documents = NO_DOCUMENTS) {
      const decision = decide(state, input, documents, now, options);
      evolve(state, decision, options);
      return decision;
    },
    event(event: ReturnType<typeof anEvent>, documents = NO_DOCUMENTS) {
      return this.run({ kind: 'event', event, checkRawPosition: true }, event.received_at, documents);
    },
    restart() {
      for (const [key, value] of takeChanges(state)) value === null ? changelog.delete(key) : changelog.set(key, value);
      state = restoreState(0, changelog, options, refuse);
    },
  };
}

describe('the judge', () => {
  it('opens at once, folds the last nanosecond of the window, opens anew at its end and closes the old', () => {
    const judge = aJudge();
    const first = judge.event(anEvent(0));
    expect(first.judgement).toMatchObject({ outcome: 'opened', reason: 'new_fingerprint', alert_version: 1 });
    expect(judge.event(anEvent(HOUR - 1)).judgement).toMatchObject({ outcome: 'folded', reason: 'repeat' });
    const second = judge.event(anEvent(HOUR));
    expect(second.judgement).toMatchObject({ outcome: 'opened', reason: 'window_closed' });
    expect(second.alerts.map(({ change, count }) => [change, count])).toEqual([
      ['closed', 2],
      ['opened', 1],
    ]);
    judge.restart();
    expect(judge.event(anEvent(-HOUR, { received_at: T0 + HOUR + MINUTE })).judgement).toMatchObject({
      outcome: 'folded',
      reason: 'late_join',
      alert_id: first.judgement?.alert_id,
    });
  });

  it('knows an event again that comes by a second route 50 minutes later, over a restart, however many came between', () => {
    const judge = aJudge(someOptions({ seenMin: 10 }));
    const events = Array.from({ length: 500 }, (_, n) => anEvent(n));
    for (const event of events) judge.event(event);
    judge.restart();
    const late = events.map((event, n) => ({
      ...event,
      received_at: event.received_at + 50 * MINUTE,
      raw_pos: { ...event.raw_pos, offset: 10_000 + n },
    }));
    expect(new Set(late.map((event) => judge.event(event).judgement?.outcome))).toEqual(new Set(['duplicate']));
    const other = anEvent(600, { received_at: T0 + 50 * MINUTE, raw_pos: { ...anEvent(0).raw_pos, offset: 20_000 } });
    expect(judge.event(other).judgement?.outcome).toBe('folded');
  });

  it('closes idle windows by the clock', () => {
    const judge = aJudge();
    judge.event(anEvent(0));
    expect(judge.run({ kind: 'tick' }, T0 + HOUR + 5 * MINUTE - 1).alerts).toEqual([]);
    expect(judge.run({ kind: 'tick' }, T0 + HOUR + 5 * MINUTE).alerts.map((alert) => alert.state)).toEqual(['closed']);
  });

  it('writes what grew before its interval when the input has ended', () => {
    const judge = aJudge();
    for (let n = 0; n < 5; n += 1) judge.event(anEvent(n));
    expect(judge.run({ kind: 'tick' }, T0 + MINUTE).alerts).toEqual([]);
    expect(judge.run({ kind: 'tick', growth: true }, T0 + MINUTE).alerts.map(({ count }) => count)).toEqual([5]);
    expect(judge.run({ kind: 'tick', growth: true }, T0 + MINUTE).alerts).toEqual([]);
  });

  it('tells a tenant beyond its quota less', () => {
    const judge = aJudge();
    const told = (over: boolean) => {
      const opened = Array.from({ length: 150 }, (_, n) =>
        judge.event(
          anEvent(n, {
            rule: over ? 'noisy' : 'usual',
            routing_key: `${over}-${n}` as never,
            host: `node-${over}-${n}`,
            ...(over && { over_quota: true }),
          }),
        ),
      );
      return opened.flatMap(({ alerts }) => alerts).filter(({ change, notify }) => change === 'opened' && notify)
        .length;
    };
    expect([told(false), told(true)]).toEqual([100, 10]);
  });

  it('keeps 256 targets, counts the events on others, and tells it once', () => {
    const judge = aJudge(
      someOptions({
        identify: ({ host }) => ({
          namespace: 'shop',
          workload_kind: 'Deployment',
          workload: 'web',
          container: 'app',
          pod_uid: `pod on ${host}`,
        }),
      }),
    );
    const changes: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      const { alerts } = judge.event(anEvent(i, { host: `node-${i}`, container_id: 'c'.repeat(12) }));
      for (const { change } of alerts) changes.push(change);
    }
    judge.restart();
    const [alert] = [...judge.state.alerts.values()].map(({ record }) => record.alert);
    expect(alert).toMatchObject({ count: 300, targets_more: 44 });
    expect(alert?.targets).toHaveLength(256);
    expect(changes.filter((change) => change === 'targets_full')).toHaveLength(1);
    expect(changes.filter((change) => change === 'new_target')).toHaveLength(20);
  });

  it('applies a verdict to a closed alert in its compact form, and to one it forgot by the record that comes along', () => {
    const options = someOptions({ closedMs: 5 * HOUR });
    const judge = aJudge(options);
    const [opened] = judge.event(anEvent(0)).alerts;
    if (opened === undefined) throw new Error('nothing was opened');
    let now = T0;
    const pass = (ms: number) => {
      now += ms;
      for (let i = 0; i < 3; i += 1) judge.run({ kind: 'tick' }, now);
    };
    pass(2 * HOUR);
    pass(HOUR);
    expect([judge.state.alerts.size, judge.state.closed.size]).toEqual([0, 1]);
    const dismiss = { kind: 'command', command: aVerdict(opened, 'dismissed', 'one') } as const;
    const { alerts } = judge.run(dismiss, now);
    expect(alerts).toMatchObject([{ change: 'verdict', disposition: 'suppressed', disposition_reason: 'dismissed' }]);
    expect(judge.run(dismiss, now).command).toBe('repeated');
    judge.restart();
    expect(judge.state.counts.get('count/acme/2026-05')).toEqual({ opened: 1, shown: 0, suppressed: 1, last_seq: 1 });

    judge.run(
      { kind: 'event', event: anEvent(0, { key: 'k2', received_at: now + 9 * HOUR }), checkRawPosition: true },
      now,
    );
    pass(HOUR);
    expect(judge.state.closed.size).toBe(0);
    const bare = { kind: 'command', command: aVerdict(opened, 'new', 'two') } as const;
    expect(judge.run(bare, now).command).toBe('unknown_alert');
    const [stored] = alerts;
    if (stored === undefined) throw new Error('nothing was written');
    const taken = judge.run({ kind: 'command', command: { ...bare.command, stored } }, now);
    expect(taken.alerts).toMatchObject([
      { version: stored.version + 1, disposition: 'review', state: 'closed', count: 1 },
    ]);
    expect(judge.state.counts.get('count/acme/2026-05')).toMatchObject({ shown: 2, suppressed: 0 });
    judge.restart();
    expect(judge.state.closed.size + judge.state.alerts.size).toBe(2);
  });

  it('amends an alert whose pod the inventory knows by name alone, once and without a further event', () => {
    let identity: Identity | undefined;
    const judge = aJudge(someOptions({ identify: () => identity }));
    const claims = { container_id: 'c'.repeat(12), container: 'app', namespace: 'shop', pod: 'web-1' };
    judge.event(anEvent(0, claims));
    judge.restart();
    identity = { namespace: 'shop', workload_kind: 'Deployment', workload: 'web', pod: 'web-1', pod_uid: 'u1' };
    const snapshot = {
      v: 1,
      uid: 'u1',
      namespace: 'shop',
      pod: 'web-1',
      owner: { kind: 'Deployment', name: 'web' },
    } as const;
    const entities = entitiesOf({
      ...snapshot,
      tenant: 'acme' as TenantId,
      cluster: 'c1' as ClusterId,
      containers: [],
      observed_at: T0,
    });
    const { alerts } = judge.run({ kind: 'identity', entities }, T0);
    expect(alerts).toMatchObject([{ change: 'amended', identity: { workload: 'web', container: 'app' } }]);
    expect(alerts[0]?.targets).toMatchObject([{ key: 'u1', pod_uid: 'u1', count: 1 }]);
    expect(waitingEntities(judge.state)).toEqual([]);
    expect(judge.event(anEvent(1, claims)).judgement).toMatchObject({ outcome: 'folded', reason: 'repeat' });
  });

  it('leaves out entries nobody of ours wrote, tells of each, and goes on with the others', () => {
    const judge = aJudge();
    const { judgement } = judge.event(anEvent(0));
    judge.event(anEvent(1));
    const changelog = new Map<string, Buffer>();
    for (const [key, value] of takeChanges(judge.state)) if (value !== null) changelog.set(key, value);
    const foreign = ['rnd', 'a/x', `n/${judgement?.alert_id}`, `t/${judgement?.alert_id}`, 'clock/x', 'count/acme/m']
      .flatMap((key) => [key, `${key}y`])
      .concat('seen/z', 'raw/l/0', 'known/k', 'alias/f', 'dismissal/f', 'storm/t/r');
    for (const value of ['\u0000\u0001', 'null', '{}', '[]', '1', '{"f":1}', '{"f":1,"record":{}}', '']) {
      const left: string[] = [];
      const entries = [...changelog, ...foreign.map((key) => [key, Buffer.from(value)] as const)];
      const state = restoreState(0, entries, someOptions(), (key) => left.push(key));
      const short = restoreState(0, [...changelog, ['seen/9', Buffer.from('\u0001')]], someOptions(), (key) =>
        left.push(key),
      );
      expect([left.pop(), short.alerts.size]).toEqual(['seen/9', 1]);
      expect([...state.alerts.keys()], value).toEqual([judgement?.alert_id]);
      // Counters and targets of an alert nobody holds are asked by nobody.
      const isAsked = (key: string) => !/^[nt]\/.*y$/.test(key);
      expect(left.sort(), value).toEqual(foreign.filter(isAsked).sort());
    }
  });

  it('an alert nobody asks for is not read; one whose bytes were changed is read whole, or told of', () => {
    const judge = aJudge();
    const { judgement } = judge.event(anEvent(0));
    const id = judgement?.alert_id ?? '';
    const changelog = takeChanges(judge.state).filter((entry): entry is [string, Buffer] => entry[1] !== null);
    const restored = (change: (text: string) => string) => {
      const left: string[] = [];
      const entries = changelog.map(([key, value]) =>
        key === `a/${id}` ? ([key, Buffer.from(change(value.toString()))] as const) : ([key, value] as const),
      );
      const state = restoreState(0, entries, someOptions(), (key) => left.push(key));
      return { left, record: () => state.alerts.get(id as AlertId)?.record.alert };
    };
    const asleep = restored((text) => text);
    expect(asleep.record()).toEqual(judge.state.alerts.get(id as AlertId)?.record.alert);
    // As a version without heads wrote it.
    expect(restored((text) => text.replace(/"h":\[.*?\],/, '')).record()?.count).toBe(1);
    // The sum holds no more: what stands in the record counts, not its head.
    const edited = restored((text) => text.replace(/"count":1,/, '"count":7,'));
    expect([edited.left, edited.record()?.count]).toEqual([[], 7]);
    const broken = restored((text) => text.replace(/"count":1,/, '"count":1'));
    expect([broken.left, broken.record()]).toEqual([[`a/${id}`], undefined]);
    const another = restored((text) => text.replaceAll(id, 'f'.repeat(32)));
    expect([another.left, another.record()]).toEqual([[`a/${id}`], undefined]);
  });

  it('what grew before a restart is written at its interval after it, and closed at its end, without being asked for', () => {
    const judge = aJudge();
    for (let n = 0; n < 5; n += 1) judge.event(anEvent(n));
    const [{ record } = expect.fail()] = judge.state.alerts.values();
    const due = record.alert.updated_at + someOptions().intervalMs;
    judge.restart();
    expect(judge.run({ kind: 'tick' }, due - 1).alerts).toEqual([]);
    expect(judge.run({ kind: 'tick' }, due).alerts.map(({ change, count }) => [change, count])).toEqual([
      ['interval', 5],
    ]);
    judge.restart();
    // The first tick after a start only begins to count the time in which nothing came.
    const closed = [2, 4].flatMap((hours) => judge.run({ kind: 'tick' }, T0 + hours * HOUR).alerts);
    expect(closed.map(({ state, count }) => [state, count])).toEqual([['closed', 5]]);
  });

  it('refuses a state of a newer format', () => {
    expect(() => restoreState(0, [['clock', Buffer.from('{"f":99,"row":{}}')]], someOptions(), refuse)).toThrow(
      /newer/,
    );
  });
});

function aVerdict(alert: Alert, status: VerdictCommand['status'], id: string): VerdictCommand {
  const { tenant, alert_id, routing_key } = alert;
  return { v: 1, kind: 'verdict', id, tenant, alert_id, routing_key, status, by: 'someone', at: T0, mac: '' };
}
