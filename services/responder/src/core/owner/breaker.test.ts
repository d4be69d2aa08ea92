import type { TenantId } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import type { EffectResult } from './decision.ts';
import { Desk, ISOLATE, rules } from './desk.test-support.ts';

const FAILED: EffectResult = { kind: 'failed', reason: 'http_4xx' };
const breaker = { breaker: { failures: '3/1m' } };
const enforced = (policy: object = breaker) => rules({ mode: 'enforce' }, policy);

function failing(desk: Desk, count: number): void {
  for (let i = 0; i < count; i += 1) {
    desk.match(desk.state.plans.size + 1);
    desk.run(FAILED);
  }
}

const last = (desk: Desk) => desk.ledger.at(-1);
const reset = (desk: Desk, tenant = 't', at = desk.now) => {
  const request = { v: 1, id: 'x', kind: 'breaker_reset', tenant: tenant as TenantId, by: 'ann', at, mac: '' } as const;
  desk.do({ kind: 'request', request });
};

describe('the breaker', () => {
  it('holds back what comes and what waits after so many failures, until somebody says go on, through a crash', () => {
    const desk = new Desk(enforced());
    failing(desk, 2);
    desk.match(10);
    expect(desk.run(FAILED)).toEqual([false]);
    desk.match(11);
    expect(last(desk)).toMatchObject({ state: 'suppressed', reason: 'breaker_open' });
    desk.crash();
    desk.match(12);
    expect(last(desk)).toMatchObject({ state: 'suppressed', reason: 'breaker_open' });
    reset(desk, 'other');
    desk.match(13);
    expect(last(desk)).toMatchObject({ reason: 'breaker_open' });
    reset(desk);
    desk.match(14);
    expect(desk.run()).toEqual([false]);
    // The count begins anew.
    failing(desk, 2);
    desk.match(20);
    expect(desk.run()).toEqual([false]);
  });

  it('is not closed by a word from before it opened', () => {
    const desk = new Desk(enforced());
    desk.now = 5;
    failing(desk, 3);
    reset(desk, 't', 4);
    desk.match(10);
    expect(last(desk)).toMatchObject({ reason: 'breaker_open' });
  });

  it('stops what waited when it opened', () => {
    const desk = new Desk(enforced());
    failing(desk, 2);
    desk.match(10);
    desk.match(11);
    const { calls } = desk.do({ kind: 'start' });
    expect(calls).toHaveLength(2);
    desk.match(12);
    desk.do({ kind: 'result', plan: calls[0]?.plan.key ?? '', step: 0, result: FAILED });
    expect(desk.run()).toEqual([]);
    expect(last(desk)).toMatchObject({ state: 'suppressed', reason: 'breaker_open' });
  });

  it.each<[string, () => Desk]>([
    [
      'failures that lie apart',
      () => {
        const desk = new Desk(enforced());
        for (let i = 0; i < 5; i += 1) {
          failing(desk, 1);
          desk.now += 31_000;
        }
        return desk;
      },
    ],
    [
      'notices that fail',
      () => {
        const desk = new Desk(rules({ mode: 'enforce', class: 0, actions: [{ ...ISOLATE, class: 0 }] }, breaker));
        failing(desk, 5);
        return desk;
      },
    ],
    [
      'what a guard denied',
      () => {
        const desk = new Desk(enforced());
        for (let i = 1; i < 6; i += 1) {
          desk.match(i);
          desk.run({ kind: 'denied', reason: 'target_gone' });
        }
        return desk;
      },
    ],
  ])('stays closed for %s', (_, made) => {
    const desk = made();
    desk.match(99);
    expect(desk.run()).toEqual([false]);
  });
});
