import { type Event, type Judgement, priorityRank, type Score } from '@eyrie/schemas';
import type { ScoreInput } from './core/judge/judge.ts';

/** What one partition has learned of its past, and the scores it gives from it. */
export class History {
  /** True when the entry of the changelog belongs to the history. */
  restore(_key: string, _value: Buffer): boolean {
    return false;
  }

  score({ event }: ScoreInput): Score {
    const logOdds = (priorityRank(event.priority) - 3) * 0.5;
    const p_attack = 1 / (1 + Math.exp(-logOdds));
    return {
      fp_score: 1 - p_attack,
      p_attack,
      band: p_attack >= 0.5 ? 'page' : 'review',
      reasons: [{ feature: 'priority', value: event.priority, log_odds: logOdds }],
      unknown: [],
      model: 'priority/1',
    };
  }

  learn(_event: Event, _judgement: Judgement): void {}

  takeChanges(): readonly (readonly [key: string, value: Buffer | null])[] {
    return [];
  }
}
