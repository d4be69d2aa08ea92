import type { ActionReason, ActionState } from '@eyrie/schemas';
import type { Call, EffectResult, LedgerLine } from '../owner/decision.ts';

type Word = { readonly state: ActionState; readonly reason: ActionReason };

/** What the ledger holds of one intent. */
export interface LiveIntent {
  readonly intent_key: string;
  readonly rule_id: string;
  readonly alert_id: string;
  readonly target: string;
  readonly first: Word;
  readonly last: Word;
  /** When it was decided, milliseconds. */
  readonly at: number;
}

/** What the live rules decided, by intent; of more than `maximum` the rest is not known. */
export class LiveLedger {
  readonly #intents = new Map<string, LiveIntent>();
  readonly #maximum: number;
  #isWhole = true;

  constructor(maximum = 500_000) {
    this.#maximum = maximum;
  }

  add(intent: LiveIntent): void {
    if (this.#intents.size < this.#maximum) this.#intents.set(intent.intent_key, intent);
    else this.#isWhole = false;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  get(intentKey: string): LiveIntent | undefined {
    return this.#intents.get(intentKey);
  }

  all(): Iterable<LiveIntent> {
    return this.#intents.values();
  }
}

/** What the rule decided of an intent: to act, or why not. How an effect ended afterwards is no decision of a rule. */
export function decisionOf(first: Word, last: Word): 'acts' | `${'suppressed' | 'denied'} ${ActionReason}` {
  if (first.state === 'suppressed' || first.state === 'denied') return `${first.state} ${first.reason}`;
  return last.state === 'denied' ? `denied ${last.reason}` : 'acts';
}

export function decisionOfLines(lines: readonly LedgerLine[]): ReturnType<typeof decisionOf> {
  const [first, last] = [lines[0], lines.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('an intent without a line');
  return decisionOf(first, last);
}

/** Where the answer of a call comes from. `none`: the action asks nothing of the world. */
export type GuardSource = 'none' | 'ledger' | 'unknown';

/** The null effect. What a cluster would have said is known only where the ledger holds what it did say. */
export function answerCall(
  { action }: Call,
  live: LiveIntent | undefined,
): { readonly source: GuardSource; readonly result: EffectResult } {
  const done: EffectResult = { kind: 'succeeded' };
  if (action.provable !== true) return { source: 'none', result: done };
  // Only of a call that was made the last line is an answer.
  if (live?.first.reason !== 'queued') return { source: 'unknown', result: done };
  const { state, reason } = live.last;
  if (state === 'denied') return { source: 'ledger', result: { kind: 'denied', reason } };
  const hasPassed = state === 'succeeded' || (state === 'simulated' && reason === 'dry_run');
  return { source: hasPassed ? 'ledger' : 'unknown', result: done };
}
