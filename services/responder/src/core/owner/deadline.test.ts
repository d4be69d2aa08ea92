import { describe, expect, it } from 'vitest';
import type { EffectResult } from './decision.ts';
import { AWAY, live, MINUTE, rules } from './living.test-support.ts';

describe('an API server that is away', () => {
  it.each([0, 0.5, 1])('for four minutes: what waited is done, with jitter %d', (jitter) => {
    const owner = live(rules(), 40, (now) => (now < 4 * MINUTE ? AWAY : { kind: 'succeeded' }), { jitter });
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
    owner.until(6 * MINUTE, { from: 6 * MINUTE });
    expect(owner.endings()).toEqual(['denied deadline']);
  });

  it.each(['timeout', 'network'] as const)('what may have been done (%s) is unknown, not denied', (reason) => {
    let answer: EffectResult = { kind: 'ambiguous', reason };
    const owner = live(rules(), 1, () => answer);
    owner.until(MINUTE);
    answer = AWAY;
    owner.until(6 * MINUTE, { from: MINUTE });
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
