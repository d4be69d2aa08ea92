import type { Event, Judgement, Score } from '@eyrie/schemas';
import type { ScoreInput } from './core/judge/judge.ts';
import { type Evidence, evidenceOf, isSameEvidence } from './core/score/evidence.ts';
import { ScoreHistory } from './core/score/history.ts';
import { learn, teachesNothing } from './core/score/learn.ts';
import { scoreEvent } from './core/score/score.ts';

/** Fingerprints whose latest evidence is held; at twice as many the older half is forgotten and scored anew. */
const EVIDENCE_MAX = 32_768;

/**
 * Scores the events of one partition from what it learned of those before; every accepted event teaches once. An event
 * that tells nothing its fingerprint has not told in that hour has the score it had: most events are such repeats.
 */
export class Learner {
  readonly #history: ScoreHistory;
  #young = new Map<string, Evidence>();
  #old = new Map<string, Evidence>();
  /** Of the event being decided: its ending does not carry the band. */
  #evidence: Evidence | undefined;

  constructor(history = new ScoreHistory()) {
    this.#history = history;
  }

  score(subject: ScoreInput): Score {
    const { fingerprint } = subject;
    const young = this.#young.get(fingerprint);
    const held = young ?? this.#old.get(fingerprint);
    const evidence =
      held !== undefined && isSameEvidence(held, subject)
        ? held
        : evidenceOf(subject, scoreEvent(this.#history, subject), this.#history.texts.words);
    if (evidence !== young) this.#remember(fingerprint, evidence);
    this.#evidence = evidence;
    return evidence.score;
  }

  /** A duplicate was scored by nobody and teaches nothing. */
  learn(event: Event, { outcome, identity = NOWHERE }: Judgement): void {
    const evidence = this.#evidence;
    this.#evidence = undefined;
    if (evidence === undefined || outcome === 'duplicate') return;
    const { row, score } = evidence;
    const subject = { event, identity };
    if (row !== undefined && teachesNothing(row, subject, score)) return;
    evidence.row = learn(this.#history, subject, score);
  }

  takeChanges(): readonly (readonly [key: string, value: Buffer | null])[] {
    return this.#history.takeChanges();
  }

  /** Rows forgotten at the bound since the last call. */
  takeEvicted(): number {
    return this.#history.takeEvicted();
  }

  #remember(fingerprint: string, evidence: Evidence): void {
    if (this.#young.size >= EVIDENCE_MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(fingerprint, evidence);
  }
}

const NOWHERE = {};
