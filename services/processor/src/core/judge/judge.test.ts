import { describe, expect, it } from 'vitest';
import { anEvent, HOUR, MINUTE, NO_DOCUMENTS, someOptions, T0 } from './building.test-support.ts';
import { decide, evolve, type JudgeInput, JudgeState, restoreState, takeChanges } from './judge.ts';

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
      state = restoreState(0, changelog, options);
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

  it('closes idle windows by the clock', () => {
    const judge = aJudge();
    judge.event(anEvent(0));
    expect(judge.run({ kind: 'tick' }, T0 + HOUR + 5 * MINUTE - 1).alerts).toEqual([]);
    expect(judge.run({ kind: 'tick' }, T0 + HOUR + 5 * MINUTE).alerts.map((alert) => alert.state)).toEqual(['closed']);
  });
});
