import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { LedgerLine } from './core/owner/decision.ts';

/** Rules told apart at a time. */
const RULES = 1_000;
const EVERY_MS = 60_000;

interface Counted {
  readonly tenant: string;
  readonly rule_id: string;
  readonly limit: string;
  readonly mode: string;
  /** Since the last line. */
  suppressed: number;
}

/**
 * Says that a rule is over a limit: once when it begins, then at most once a minute how many actions it held back, until a
 * minute passes without any. A storm of ten thousand alerts is two lines.
 */
export class LimitNotices {
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #counted = new Map<string, Counted>();
  #saidAt = 0;

  constructor(log: Logger, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  add(lines: readonly LedgerLine[]): void {
    for (const { state, reason, tenant, rule_id, mode } of lines) {
      if (state !== 'suppressed' || !reason.startsWith('limit_')) continue;
      const key = JSON.stringify([tenant, rule_id, reason, mode]);
      const held = this.#counted.get(key);
      if (held !== undefined) held.suppressed += 1;
      else if (this.#counted.size < RULES) {
        const about = { tenant, rule_id, limit: reason, mode };
        this.#counted.set(key, { ...about, suppressed: 1 });
        this.#log.warn(about, 'a response rule is over a limit: what it would do more is suppressed');
      } else this.#metrics.count('eyrie_bound_reached_total', { bound: 'responder_limit_notices' });
    }
  }

  /** @param now milliseconds */
  tick(now: number): void {
    if (now < this.#saidAt + EVERY_MS) return;
    this.#saidAt = now;
    this.say();
  }

  /** What was counted since the last line. */
  say(): void {
    for (const [key, { suppressed, ...about }] of this.#counted) {
      if (suppressed === 0) this.#counted.delete(key);
      else {
        this.#log.warn({ ...about, suppressed }, 'a response rule was over a limit');
        this.#counted.set(key, { ...about, suppressed: 0 });
      }
    }
  }
}
