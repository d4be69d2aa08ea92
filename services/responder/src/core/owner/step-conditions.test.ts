import { describe, expect, it } from 'vitest';
import type { PlannedAction } from '../rules/compiled.ts';
import type { EffectResult } from './decision.ts';
import { Desk, ISOLATE, rules } from './desk.test-support.ts';

const action = (name: string, more: Partial<PlannedAction> = {}): PlannedAction => ({
  ...ISOLATE,
  action: name,
  onError: 'continue',
  ...more,
});

/** Runs a plan to its end; the named actions fail. */
function run(actions: readonly PlannedAction[], failing: readonly string[] = [], fields: Record<string, string> = {}) {
  const desk = new Desk(rules({ mode: 'enforce', actions }));
  desk.match(1, fields);
  for (let turn = 0; turn < 10; turn += 1) {
    const { calls } = desk.do({ kind: 'start' });
    for (const { plan, step, intent } of calls) {
      const result: EffectResult = failing.includes(intent.action)
        ? { kind: 'failed', reason: 'exit_code' }
        : { kind: 'succeeded' };
      desk.do({ kind: 'result', plan: plan.key, step, result });
    }
  }
  const [plan] = desk.state.plans.values();
  return plan?.steps.map(({ action: name, state, reason }) => `${name} ${state} ${reason}`);
}

describe('needs', () => {
  const chain = [action('evidence'), action('kill', { needs: ['evidence'] }), action('tell')];
  it('holds back that action alone when what it needs failed', () => {
    expect(run(chain)).toEqual(['evidence succeeded done', 'kill succeeded done', 'tell succeeded done']);
    expect(run(chain, ['evidence'])).toEqual([
      'evidence failed exit_code',
      'kill suppressed need_failed',
      'tell succeeded done',
    ]);
  });
  it('keeps a notice in front of what hangs on it, which otherwise comes behind what acts in a cluster', () => {
    const notice = action('tell', { class: 0 });
    expect(run([notice, action('cut')])).toEqual(['cut succeeded done', 'tell succeeded done']);
    const hanging = [{ needs: ['tell'] }, { when: 'results.tell.state == "succeeded"' }];
    for (const more of hanging) {
      expect(run([notice, action('cut', more)])).toEqual(['tell succeeded done', 'cut succeeded done']);
    }
  });
  it('goes on along a chain', () => {
    const longer = [...chain, action('after', { needs: ['kill'] })];
    expect(run(longer, ['evidence'])?.at(-1)).toBe('after suppressed need_failed');
  });
});

describe('when', () => {
  const asked = (when: string) => [action('a'), action('b', { when })];
  it.each<[string, readonly string[], Record<string, string>, string]>([
    ['results.a.state == "failed"', ['a'], {}, 'b succeeded done'],
    ['results.a.state == "failed"', [], {}, 'b suppressed when_false'],
    ['results.a.reason == "exit_code" and proc.name == "sh"', ['a'], { 'proc.name': 'sh' }, 'b succeeded done'],
    ['results.a.reason == "exit_code" and proc.name == "sh"', ['a'], {}, 'b suppressed when_false'],
    ['exists(results.nobody.state)', [], {}, 'b suppressed when_false'],
  ])('%s', (when, failing, fields, expected) => {
    expect(run(asked(when), failing, fields)?.[1]).toBe(expected);
  });
});

describe('ask', () => {
  const actions = [action('tell', { class: 0, asks: true }), action('cut')];
  it('tells persons at once, while the rest waits', () => {
    const desk = new Desk(rules({ actions }));
    desk.match();
    expect(desk.run({ kind: 'failed', reason: 'http_5xx' })).toEqual([false]);
    expect(desk.run()).toEqual([]);
    desk.say('ann');
    expect(desk.run()).toEqual([false]);
    expect(desk.ledger.at(-1)).toMatchObject({ action: 'cut', state: 'succeeded' });
  });
  it('tells nobody where nobody is asked', () => {
    const desk = new Desk(rules({ mode: 'enforce', actions }));
    desk.match();
    desk.run();
    expect(desk.ledger.map(({ action: name }) => name)).not.toContain('tell');
  });
});
