import { describe, expect, it } from 'vitest';
import type { EffectResult } from './decision.ts';
import { AWAY, HOUR, live, MINUTE, rules } from './living.test-support.ts';

const LATER: EffectResult = { kind: 'retry', reason: 'http_429', afterMs: MINUTE };
const TELL = { action: 'tell', actionner: 'webhook:post' };

describe('a notice', () => {
  it('is told after 23 hours of refusals, and given up after a day', () => {
    const calm = live(rules({}, [TELL]), 5, (now) => (now < 23 * HOUR ? LATER : { kind: 'succeeded' }));
    calm.until(24 * HOUR, { stepMs: MINUTE });
    expect(calm.endings('tell')).toEqual(['succeeded done']);
    const never = live(rules({}, [TELL]), 5, () => LATER);
    never.until(24 * HOUR, { stepMs: MINUTE });
    expect(never.endings('tell')).toEqual(['failed deadline']);
  });

  it('that a rule names first comes behind what it does in the cluster, whatever becomes of that', () => {
    for (const [result, ending] of [
      [{ kind: 'succeeded' }, 'succeeded done'],
      [{ kind: 'denied', reason: 'forbidden' }, 'denied forbidden'],
    ] as const) {
      const order: string[] = [];
      const owner = live(rules({}, [TELL, {}, { ...TELL, action: 'again' }]), 1, (_, { action }) => {
        order.push(action.action);
        return action.class === 0 ? { kind: 'succeeded' } : result;
      });
      owner.until(MINUTE);
      expect(order).toEqual(['mark', 'tell', 'again']);
      expect(['mark', 'tell', 'again'].flatMap((name) => owner.endings(name))).toEqual([
        ending,
        'succeeded done',
        'succeeded done',
      ]);
    }
  });

  it('that cannot be told any more stops no other: beyond the bound it is suppressed', () => {
    const owner = live(rules({}, [TELL]), 30, () => LATER, { noticesMax: 20 });
    expect(owner.state).toMatchObject({ active: 20, notices: 20 });
    owner.until(MINUTE);
    expect(owner.endings('tell')).toEqual(expect.arrayContaining(['suppressed limit_backlog']));
  });

  it('does not count as work in the cluster, which does', () => {
    const owner = live(rules({}, [{}, TELL]), 30, (_, { action }) => (action.class === 0 ? LATER : AWAY), {
      noticesMax: 20,
    });
    expect(owner.state).toMatchObject({ active: 30, notices: 0 });
    // Its part in the cluster is over at the deadline, and the notice is left.
    owner.until(5 * MINUTE);
    expect(owner.endings()).toEqual(['denied deadline']);
    expect(owner.state).toMatchObject({ active: 30, notices: 30 });
    owner.until(24 * HOUR, { from: 5 * MINUTE, stepMs: MINUTE });
    expect(owner.state).toMatchObject({ active: 0, notices: 0 });
  });
});
