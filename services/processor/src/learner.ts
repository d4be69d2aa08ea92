import type { Event, Judgement, Score } from '@eyrie/schemas';
import type { ScoreInput } from './core/judge/judge.ts';
import { restoreHistory, type ScoreHistory } from './core/score/history.ts';
import { learn } from './core/score/learn.ts';
import { scoreEvent } from './core/score/score.ts';

type Entry = readonly [key: string, value: Buffer];

/** Scores the events of one partition from what it learned of those before; every accepted event teaches once. */
export class Learner {
  readonly #history: ScoreHistory;
  /** Of the event being decided: its ending does not carry the band. */
  #score: Score | undefined;

  constructor(entries: Iterable<Entry>) {
    this.#history = restoreHistory(entries);
  }

  score({ event, identity }: ScoreInput): Score {
    this.#score = scoreEvent(this.#history, { event, identity });
    return this.#score;
  }

  /** A duplicate was scored by nobody and teaches nothing. */
  learn(event: Event, { outcome, identity }: Judgement): void {
    const score = this.#score;
    this.#score = undefined;
    if (score === undefined || outcome === 'duplicate') return;
    learn(this.#history, { event, identity: identity ?? {} }, score);
  }

  takeChanges(): readonly (readonly [key: string, value: Buffer | null])[] {
    return this.#history.takeChanges();
  }

  /** Rows forgotten at the bound since the last call. */
  takeEvicted(): number {
    return this.#history.takeEvicted();
  }
}
