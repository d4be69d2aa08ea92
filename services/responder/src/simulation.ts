import type { ActionRequest, Alert } from '@eyrie/schemas';
import { requestKey, requestPartition } from '@eyrie/schemas/request-partition';
import { AlertMemory } from './alert-memory.ts';
import type { Call, LedgerLine, OwnerOptions } from './core/owner/decision.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import { LedgerDiff } from './core/simulate/ledger-diff.ts';
import { answerCall, type GuardSource, type LiveLedger } from './core/simulate/live-ledger.ts';
import type { StoredEvent } from './core/simulate/stored-event.ts';
import { Tally } from './core/simulate/tally.ts';
import { VirtualOwner } from './core/simulate/virtual-owner.ts';
import { type Match, Matching } from './matching.ts';

/** What the judge wrote at one moment. */
export interface Moment {
  readonly alerts: readonly Alert[];
  readonly events: readonly StoredEvent[];
}

/** Rules over history: the matcher and the owners of production, on a clock that history moves, without effects. */
export class Simulation {
  readonly tally: Tally;
  readonly diff: LedgerDiff;
  readonly #rules: RuleSet;
  readonly #live: LiveLedger;
  readonly #from: number;
  readonly #memory: AlertMemory;
  readonly #matching: Matching;
  readonly #owners: readonly VirtualOwner[];
  readonly #bounds = new Set<string>();
  #guards = new Map<string, GuardSource>();

  /** `from`: milliseconds; what comes before warms up cooldowns, limits and plans, and counts for nothing. */
  constructor(rules: RuleSet, live: LiveLedger, from: number, options: Omit<OwnerOptions, 'incarnation' | 'jitter'>) {
    this.#rules = rules;
    this.#live = live;
    this.#from = from;
    const onBound = (bound: string) => this.#bounds.add(bound);
    this.#memory = new AlertMemory(onBound);
    this.#matching = new Matching(this.#memory, onBound);
    const owner = { ...options, incarnation: 'simulation', jitter: 0 };
    this.#owners = Array.from(
      { length: options.partitions },
      () => new VirtualOwner(rules, owner, (call) => this.#answer(call)),
    );
    this.tally = new Tally(rules);
    this.diff = new LedgerDiff(live, from);
  }

  /** As the live matcher does it: alerts are learned first, events matched before alerts. */
  take({ alerts, events }: Moment): void {
    for (const alert of alerts) this.#memory.learn(alert);
    for (const { judgement, event, raw } of events) {
      this.#request(this.#matching.event(this.#rules, judgement, event, () => Buffer.from(raw)));
    }
    for (const alert of alerts) this.#request(this.#matching.alert(this.#rules, alert));
  }

  /** Memories that were full: what they forgot may have been counted twice. */
  get bounds(): readonly string[] {
    return [...this.#bounds];
  }

  #request(matches: readonly Match[]): void {
    for (const { rule, request: unsigned } of matches) {
      const request: ActionRequest = { ...unsigned, mac: '' };
      const key = requestKey(rule.class, request.tenant, request.alert_id);
      const owner = this.#owners[requestPartition(key, this.#owners.length)];
      this.#guards = new Map();
      const lines = owner?.take(request, request.at) ?? [];
      for (const [intent, ofIntent] of Map.groupBy(lines, (line) => line.intent_key)) {
        this.#count(intent, ofIntent, request);
      }
    }
  }

  #count(intent: string, lines: readonly LedgerLine[], request: ActionRequest): void {
    if ((lines[0]?.at ?? 0) < this.#from) {
      this.diff.warm(intent);
      return;
    }
    this.tally.add(lines, request, this.#guards.get(intent) ?? 'none');
    this.diff.add(lines);
  }

  #answer(call: Call) {
    const key = call.intent.intent_key;
    const { source, result } = answerCall(call, this.#live.get(key));
    this.#guards.set(key, source);
    return result;
  }
}
