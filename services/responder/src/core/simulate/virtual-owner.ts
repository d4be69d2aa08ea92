import type { ActionRequest } from '@eyrie/schemas';
import { decide } from '../owner/decide.ts';
import {
  type Call,
  type EffectResult,
  evolve,
  type LedgerLine,
  type OwnerInput,
  type OwnerOptions,
} from '../owner/decision.ts';
import { emptyState } from '../owner/state.ts';
import { type RuleSet, ruleSet } from '../rules/rule-set.ts';

/** Cooldowns and windows that are over are forgotten this often; they count for nothing either way. */
const EXPIRE_MS = 3_600_000;
/** Plans beyond their bound before the oldest go: they go many at a time. */
const SLACK = 1_000;

/**
 * The owner of one partition of requests on a clock that history moves: it decides by the code of production, and every
 * call ends at once with the answer it is given. Nothing waits, so lanes do not rest.
 */
export class VirtualOwner {
  readonly #rules: RuleSet;
  readonly #options: OwnerOptions;
  readonly #answer: (call: Call) => EffectResult;
  readonly #state = emptyState();
  #now = 0;
  #expireAt = 0;

  constructor(rules: RuleSet, options: OwnerOptions, answer: (call: Call) => EffectResult) {
    this.#rules = withoutUndo(rules);
    this.#options = options;
    this.#answer = answer;
  }

  /** Everything the ledger would say of it, first to last. `at`: milliseconds; the clock never goes back. */
  take(request: ActionRequest, at: number): readonly LedgerLine[] {
    this.#now = Math.max(this.#now, at);
    this.#expire();
    const lines = [...this.#decide({ kind: 'request', request }).ledger];
    for (let begun = lines.length > 0; begun; ) {
      const { calls, ledger } = this.#decide({ kind: 'start' });
      lines.push(...ledger);
      for (const call of calls) {
        const ended = { plan: call.plan.key, step: call.step, result: this.#answer(call) };
        lines.push(...this.#decide({ kind: 'result', ...ended }).ledger);
      }
      begun = calls.length > 0;
    }
    return lines;
  }

  #decide(input: OwnerInput) {
    const decision = decide(this.#state, input, this.#rules, this.#now, this.#options);
    evolve(this.#state, { ...decision, rests: [], delays: [] });
    return decision;
  }

  #expire(): void {
    const isOver = this.#state.plans.size > this.#options.plansMax + SLACK;
    if (!isOver && this.#now < this.#expireAt) return;
    this.#expireAt = this.#now + EXPIRE_MS;
    let more = true;
    while (more) {
      const { removed, windows, cooldowns } = this.#decide({ kind: 'expire' });
      more = removed.length + windows.length + cooldowns.length > 0;
    }
  }
}

/** Nothing is done, so nothing is taken back. */
function withoutUndo({ rules, policy }: RuleSet): RuleSet {
  const stripped = rules.map((rule) => ({
    ...rule,
    actions: rule.actions.map(({ undoAfterMs: _, ...action }) => action),
  }));
  return ruleSet(stripped, policy);
}
