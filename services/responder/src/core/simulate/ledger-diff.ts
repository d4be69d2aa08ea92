import type { LedgerLine } from '../owner/decision.ts';
import { decisionOf, decisionOfLines, type LiveIntent, type LiveLedger } from './live-ledger.ts';

const EXAMPLES_MAX = 20;

type Decided = ReturnType<typeof decisionOf>;

export interface DiffExample {
  readonly intent_key: string;
  readonly rule_id: string;
  readonly alert_id: string;
  readonly target: string;
  /** Absent where that side made no such intent. */
  readonly live?: Decided;
  readonly simulated?: Decided;
}

export interface DiffReport {
  readonly same: number;
  /** Both made the intent and decided otherwise. */
  readonly different: number;
  readonly live_only: number;
  readonly simulated_only: number;
  /** Live decided them before the span. */
  readonly carried_over: number;
  /** The ledger held more intents than are compared. */
  readonly complete: boolean;
  /** The first of each kind that differ. */
  readonly examples: readonly DiffExample[];
}

/** Holds what was simulated against what the live rules decided, intent by intent. */
export class LedgerDiff {
  readonly #live: LiveLedger;
  readonly #from: number;
  readonly #seen = new Set<string>();
  readonly #counts = { same: 0, different: 0, simulated_only: 0, carried_over: 0 };
  readonly #examples: DiffExample[] = [];
  readonly #exampled = new Map<string, number>();

  /** `from`: milliseconds; what live decided before is no difference. */
  constructor(live: LiveLedger, from: number) {
    this.#live = live;
    this.#from = from;
  }

  /** All lines of one intent that was simulated in the span. */
  add(lines: readonly LedgerLine[]): void {
    const [line] = lines;
    if (line === undefined) return;
    const live = this.#live.get(line.intent_key);
    const simulated = decisionOfLines(lines);
    if (live === undefined) {
      this.#counts.simulated_only += 1;
      this.#example('simulated_only', { ...subjectOf(line), simulated });
      return;
    }
    this.#seen.add(line.intent_key);
    const decided = decisionOf(live.first, live.last);
    if (live.at < this.#from) this.#counts.carried_over += 1;
    else if (decided === simulated) this.#counts.same += 1;
    else {
      this.#counts.different += 1;
      this.#example('different', { ...subjectOf(line), live: decided, simulated });
    }
  }

  /** What was simulated before the span counts for neither side: live may have decided it a moment later. */
  warm(intentKey: string): void {
    this.#seen.add(intentKey);
  }

  finish(): DiffReport {
    let liveOnly = 0;
    for (const intent of this.#live.all()) {
      if (intent.at < this.#from || this.#seen.has(intent.intent_key)) continue;
      liveOnly += 1;
      this.#example('live_only', { ...subjectOf(intent), live: decisionOf(intent.first, intent.last) });
    }
    return { ...this.#counts, live_only: liveOnly, complete: this.#live.isWhole, examples: this.#examples };
  }

  #example(kind: string, example: DiffExample): void {
    const count = this.#exampled.get(kind) ?? 0;
    if (count === EXAMPLES_MAX) return;
    this.#exampled.set(kind, count + 1);
    this.#examples.push(example);
  }
}

function subjectOf({ intent_key, rule_id, alert_id, target }: LiveIntent | LedgerLine) {
  return { intent_key, rule_id, alert_id, target };
}
