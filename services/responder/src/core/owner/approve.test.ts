import type { TenantId } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import type { RuleSet } from '../rules/rule-set.ts';
import { nextBegin } from './begin.ts';
import { decide } from './decide.ts';
import type { EffectResult } from './decision.ts';
import { Desk, ISOLATE, OPTIONS, rules } from './desk.test-support.ts';

describe('approval', () => {
  it('does nothing before the quorum of different persons, and everything after it', () => {
    const desk = new Desk(rules({ approval: { quorum: 2, ttlMs: 1_000 } }));
    desk.match();
    expect(desk.run()).toEqual([]);
    desk.say('ann');
    desk.say('ann');
    desk.crash();
    desk.say('ann');
    expect(desk.run()).toEqual([]);
    desk.say('bob');
    expect(desk.run()).toEqual([false]);
    expect(desk.states).toEqual(['awaiting_approval', 'approved', 'planned', 'executing', 'succeeded']);
    expect(desk.ledger[1]).toMatchObject({ by: 'ann, bob', plan_hash: desk.ledger[0]?.plan_hash });
    // It works once.
    desk.say('bob');
    expect(desk.run()).toEqual([]);
  });

  it('counts neither the authors of the rule nor those of the policy', () => {
    const desk = new Desk(rules({ authors: ['ann'] }, { authors: ['pol'] }));
    desk.match();
    desk.say('ann');
    desk.say('pol');
    expect(desk.run()).toEqual([]);
    desk.say('bob');
    expect(desk.run()).toEqual([false]);
  });

  it('is bound to the plan that was seen and to its tenant', () => {
    const desk = new Desk(rules());
    desk.match();
    desk.say('ann', { plan_hash: '0'.repeat(32) });
    desk.say('ann', { tenant: 'other' as TenantId });
    expect(desk.run()).toEqual([]);
  });

  it('differs with what would be done and where', () => {
    const hashOf = (set: RuleSet, fields: Record<string, string> = {}) => {
      const desk = new Desk(set);
      desk.match(1, fields);
      return desk.ledger[0]?.plan_hash;
    };
    const one = hashOf(rules());
    expect(hashOf(rules())).toBe(one);
    expect(hashOf(rules({ actions: [{ ...ISOLATE, parameters: { leave_controller: 'never' } }] }))).not.toBe(one);
    expect(hashOf(rules(), { pod: 'web-0' })).not.toBe(one);
  });

  it('denied or too late means not done', () => {
    const denied = new Desk(rules());
    denied.match();
    denied.say('ann', { decision: 'deny', note: 'known' });
    denied.say('bob');
    expect(denied.run()).toEqual([]);
    expect(denied.ledger[1]).toMatchObject({ state: 'rejected', by: 'ann', detail: 'known' });

    const late = new Desk(rules());
    late.match();
    expect(nextBegin(late.state)).toBe(1_000);
    late.now = 1_000;
    late.say('ann');
    late.do({ kind: 'expire' });
    expect(late.run()).toEqual([]);
    expect(late.states).toEqual(['awaiting_approval', 'expired']);
    expect([...late.state.plans.values()][0]?.todo).toBeUndefined();
  });

  it('may take longer than the deadline of what is done: that begins with it', () => {
    const desk = new Desk(
      rules({ approval: { quorum: 1, ttlMs: 10_000 }, actions: [{ ...ISOLATE, deadlineMs: 1_000 }] }),
    );
    desk.match();
    desk.now = 5_000;
    desk.do({ kind: 'overdue' });
    desk.say('ann');
    desk.now = 5_999;
    desk.do({ kind: 'overdue' });
    expect(desk.run()).toEqual([false]);
    expect(desk.states.at(-1)).toBe('succeeded');
  });

  it('of a rule that was softened meanwhile begins nothing', () => {
    const desk = new Desk(rules());
    desk.match();
    desk.say('ann');
    const softened = decide(desk.state, { kind: 'start' }, rules({ mode: 'dry_run' }), 0, OPTIONS);
    expect(softened.calls).toEqual([]);
    expect(softened.ledger.map(({ reason }) => reason)).toEqual(['rule_changed']);
  });
});

describe('undo', () => {
  const timed = () => rules({ mode: 'enforce', actions: [{ ...ISOLATE, undoAfterMs: 5_000 }] });
  const done = (set = timed()) => {
    const desk = new Desk(set);
    desk.match(1, { pod: 'web-0', 'proc.cmdline': 'x' });
    desk.run();
    return desk;
  };
  const ask = (desk: Desk, by = 'ann') => {
    const [plan] = desk.state.plans.values();
    const request = { v: 1, id: 'u', kind: 'undo', tenant: 't' as TenantId, by, at: 0, mac: '' } as const;
    const intent = plan?.steps[0]?.intent_key ?? '';
    desk.do({ kind: 'request', request: { ...request, plan: plan?.key ?? '', intent_key: intent } });
  };

  it('comes at its time and once, also when the process died between', () => {
    const desk = done();
    expect(desk.states.at(-1)).toBe('undo_scheduled');
    expect(desk.ledger.at(-1)?.due_at).toBe(5_000);
    desk.crash();
    expect(nextBegin(desk.state)).toBe(5_000);
    desk.now = 4_999;
    expect(desk.run()).toEqual([]);
    desk.now = 5_000;
    // Begun, and the process dies before it ended.
    expect(desk.do({ kind: 'start' }).calls).toHaveLength(1);
    expect(desk.do({ kind: 'start' }).calls).toHaveLength(0);
    desk.crash();
    expect(desk.run()).toEqual([true]);
    expect(desk.states.at(-1)).toBe('undone');
    expect(desk.run()).toEqual([]);
  });

  it('takes back of one plan one after the other, the last first', () => {
    const actions = ['first', 'second'].map((action) => ({ ...ISOLATE, action, undoAfterMs: 5_000 }));
    const desk = new Desk(rules({ mode: 'enforce', actions }));
    desk.match();
    desk.run();
    desk.run();
    desk.now = 5_000;
    expect(desk.run()).toEqual([true]);
    expect(desk.ledger.at(-1)).toMatchObject({ action: 'second', state: 'undone' });
    expect(nextBegin(desk.state)).toBe(5_000);
    expect(desk.run()).toEqual([true]);
    expect(desk.ledger.at(-1)).toMatchObject({ action: 'first', state: 'undone' });
  });

  it.each<[EffectResult, string]>([
    [{ kind: 'denied', reason: 'drifted' }, 'undo_skipped'],
    [{ kind: 'failed', reason: 'no_connection' }, 'undo_failed'],
  ])('says what became of it: %j', (result, state) => {
    const desk = done();
    desk.now = 5_000;
    desk.run(result);
    expect(desk.states.at(-1)).toBe(state);
  });

  it('is tried again, later each time, and not for ever', () => {
    const desk = done();
    let tries = 0;
    while (desk.states.at(-1) === 'undo_scheduled') {
      desk.now = nextBegin(desk.state);
      expect(desk.run({ kind: 'ambiguous', reason: 'timeout' })).toEqual([true]);
      tries += 1;
    }
    expect([tries, desk.states.at(-1)]).toEqual([10, 'undo_failed']);
  });

  it('is done for a person, who is named, and knows no more of the event than where it was', () => {
    const desk = done(rules({ mode: 'enforce' }));
    expect([...desk.state.plans.values()][0]?.todo?.context).toMatchObject({ summary: '', fields: { pod: 'web-0' } });
    expect(desk.state.active).toBe(0);
    desk.crash();
    ask(desk);
    expect(desk.run()).toEqual([true]);
    expect(desk.ledger.at(-1)).toMatchObject({ state: 'undone', by: 'ann' });
    ask(desk);
    expect(desk.run()).toEqual([]);
  });

  it('has nothing to take back of what changed nothing, or was never done', () => {
    const unchanged = new Desk(timed());
    unchanged.match();
    unchanged.run({ kind: 'succeeded', reason: 'unchanged' });
    expect(unchanged.states.at(-1)).toBe('succeeded');
    const failed = new Desk(rules({ mode: 'enforce' }));
    failed.match();
    failed.run({ kind: 'failed', reason: 'http_4xx' });
    ask(failed);
    expect(failed.run()).toEqual([]);
  });
});

describe('threshold', () => {
  const counted = () => rules({ mode: 'enforce', threshold: { by: ['pod'], count: 3, windowMs: 100 } });

  it('acts with the event that makes it full, each value for itself, and not before', () => {
    const desk = new Desk(counted());
    for (const [event, pod] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'a'],
    ] as const)
      desk.match(event, { pod });
    expect(desk.run()).toEqual([]);
    desk.crash();
    desk.match(4, { pod: 'a' });
    expect(desk.run()).toEqual([false]);
  });

  it('keeps so many values and no more, whatever an attacker sends', () => {
    const desk = new Desk(rules({ mode: 'enforce', threshold: { by: ['pod'], count: 3, windowMs: 1e9 } }));
    for (let i = 0; i < 50_010; i += 1) desk.match(i, { pod: `${i}` });
    expect(desk.do({ kind: 'expire' }).bounds).toEqual(['responder_thresholds']);
    expect([desk.state.windows.size, desk.disk.size]).toEqual([50_000, 50_000]);
    // The first was forgotten, the last was not.
    for (const pod of ['0', '50009']) for (const event of [1, 2]) desk.match(60_000 + event, { pod });
    expect(desk.run()).toEqual([false]);
  });

  it('forgets what is older than its span', () => {
    const desk = new Desk(counted());
    for (const event of [1, 2, 3, 4]) {
      desk.match(event, { pod: 'a' });
      desk.now += 60;
    }
    expect(desk.run()).toEqual([]);
  });
});
