import type { ScoreReason } from '@eyrie/schemas';
import { BIAS, type Feature, LEARNED_BENIGN_MIN, NOVELTY_MAX, WEIGHTS } from './weights.ts';

type Value = ScoreReason['value'];

/** The sum under construction: what is added is a reason, and nothing else is in the sum. */
export class Terms {
  readonly reasons: ScoreReason[] = [{ feature: 'bias', value: true, log_odds: BIAS }];
  readonly unknown: string[] = [];
  sum = BIAS;
  #novelty = 0;
  #learned = 0;

  prior(feature: 'priority' | 'maturity', value: Value, logOdds: number): void {
    this.#push(feature, value, logOdds);
  }

  /** Weight times x, x from 0 to 1: the weight is the clamp. */
  add(feature: Feature, value: Value, x: number): void {
    this.#push(feature, value, WEIGHTS[feature] * Math.min(1, Math.max(0, x)));
  }

  /** The rarer, the more; within what all novelty together may say. */
  addNovelty(feature: Feature, hours: number, maturity: number): void {
    const logOdds = Math.min((WEIGHTS[feature] * maturity) / (1 + hours), NOVELTY_MAX - this.#novelty);
    this.#novelty += logOdds;
    this.#push(feature, hours, logOdds);
  }

  /** Learned evidence of harmlessness, within its budget. */
  addLearned(feature: Feature, value: Value, x: number): void {
    const logOdds = Math.max(WEIGHTS[feature] * Math.min(1, Math.max(0, x)), LEARNED_BENIGN_MIN - this.#learned);
    this.#learned += logOdds;
    this.#push(feature, value, logOdds);
  }

  /** Could not be told because a field was missing: neutral. */
  miss(feature: string): void {
    this.unknown.push(feature);
  }

  #push(feature: string, value: Value, exact: number): void {
    const logOdds = Math.round(exact * 1e6) / 1e6;
    if (logOdds === 0) return;
    this.reasons.push({ feature, value, log_odds: logOdds });
    this.sum += logOdds;
  }
}
