import { failpoint } from '@eyrie/platform/failpoint';
import type { Logger } from '@eyrie/platform/log';
import type { Actions } from './actions/action.ts';
import type { Call, EffectResult } from './core/owner/decision.ts';

export interface Ended {
  readonly call: Call;
  readonly result: EffectResult;
}

/** Calls under way. Their endings are collected and read by the partition's loop: a long call holds up nothing. */
export class Calls {
  readonly #incarnation: string;
  readonly #actions: () => Actions;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #ended: Ended[] = [];
  #wake: () => void = () => {};
  #news: Promise<void>;

  constructor(incarnation: string, actions: () => Actions, log: Logger) {
    this.#incarnation = incarnation;
    this.#actions = actions;
    this.#log = log;
    this.#news = this.#nextNews();
  }

  /** Calls whose ending was not taken yet: those that run, and those that ended meanwhile. */
  get open(): number {
    return this.#running.size + this.#ended.length;
  }

  /** Begins a call whose intent is durable. */
  begin(call: Call): void {
    const task = this.#call(call).then((result) => {
      this.#ended.push({ call, result });
      this.#running.delete(task);
      this.#wake();
    });
    this.#running.add(task);
  }

  /** Resolves when `take` has something to give. */
  get news(): Promise<void> {
    return this.#news;
  }

  take(): readonly Ended[] {
    const ended = this.#ended;
    if (ended.length === 0) return ended;
    this.#ended = [];
    this.#news = this.#nextNews();
    return ended;
  }

  /** Tells all calls to end; scripts are killed. */
  abort(): void {
    this.#stop.abort();
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #call(call: Call): Promise<EffectResult> {
    const { intent } = call;
    const action = this.#actions()[intent.actionner];
    if (action === undefined) return { kind: 'failed', reason: 'rule_changed' };
    // The last look before the world is touched: the intent must be of this life, and this life not over.
    if (intent.incarnation !== this.#incarnation || this.#stop.signal.aborted)
      return { kind: 'retry', reason: 'shutdown' };
    failpoint('before-effect');
    try {
      const run = call.undo === true ? action.undo : action.run;
      if (run === undefined) return { kind: 'failed', reason: 'rule_changed' };
      const result = await run(call, this.#stop.signal);
      failpoint('after-effect');
      return result;
    } catch (error) {
      this.#log.error({ err: error, actionner: intent.actionner, intent: intent.intent_key }, 'action broke');
      return { kind: 'ambiguous', reason: 'crash', detail: 'the action broke: a bug' };
    }
  }

  #nextNews(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
