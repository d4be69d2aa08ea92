import type { Metrics } from '@eyrie/platform/metrics';
import type { Outcome, Stage } from '@eyrie/schemas';

/** Endings of a batch, counted once the step that holds them is committed. */
export class Outcomes {
  readonly #stage: Stage;
  readonly #counts = new Map<string, { readonly outcome: Outcome; count: number }>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  add({ outcome, reason }: Outcome, count = 1): void {
    const key = `${outcome}/${reason}`;
    const held = this.#counts.get(key);
    if (held === undefined) this.#counts.set(key, { outcome: { outcome, reason } as Outcome, count });
    else held.count += count;
  }

  publish(metrics: Metrics): void {
    for (const { outcome, count } of this.#counts.values()) {
      metrics.count('eyrie_outcomes_total', { stage: this.#stage, ...outcome }, count);
      if (outcome.outcome === 'rejected' || outcome.outcome === 'dead-lettered') {
        metrics.count('eyrie_dead_letters_total', { stage: this.#stage, reason: outcome.reason }, count);
      }
    }
  }
}
