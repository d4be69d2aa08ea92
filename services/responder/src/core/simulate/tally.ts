import type { ActionMode, ActionRequest } from '@eyrie/schemas';
import type { LedgerLine } from '../owner/decision.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { Counts, Peak } from './counts.ts';
import type { GuardSource } from './live-ledger.ts';
import { RuleTally } from './rule-tally.ts';

const MINUTE_MS = 60_000;

/** So many in the minute or day that begins then (ISO 8601). */
export interface PeakReport {
  readonly at: string;
  readonly actions: number;
}

export interface RuleOutcome {
  readonly rule: string;
  readonly mode: ActionMode;
  readonly actions: number;
  /** Of the actions those that a guard might still have denied: nobody asked the cluster. */
  readonly guard_unknown: number;
  /** Intents whose guards the ledger answered for. */
  readonly guards_from_ledger: number;
  /** Cooldown and limits, by reason. */
  readonly suppressed: Readonly<Record<string, number>>;
  readonly denied: Readonly<Record<string, number>>;
  readonly peak_per_minute?: PeakReport;
  readonly peak_per_day?: PeakReport;
  /** Alerts it would have acted on. */
  readonly alerts: number;
  /** More alerts or targets than are remembered: `alerts` and verdicts are too few. */
  readonly overflowed?: true;
}

/** Would-be actions of one rule in one namespace on one day (UTC). */
export interface Cell {
  readonly rule: string;
  readonly namespace: string;
  readonly day: string;
  readonly actions: number;
}

/** What all rules would have done; accumulates, in bounded memory. */
export class Tally {
  readonly #rules: ReadonlyMap<string, RuleTally>;
  readonly #modes: ReadonlyMap<string, ActionMode>;
  readonly #cells = new Counts();
  readonly #perMinute = new Peak(MINUTE_MS);

  constructor({ rules }: RuleSet) {
    this.#rules = new Map(rules.map(({ id }) => [id, new RuleTally()]));
    this.#modes = new Map(rules.map(({ id, mode }) => [id, mode]));
  }

  /** All lines of one intent. */
  add(lines: readonly LedgerLine[], request: ActionRequest, guard: GuardSource): void {
    const [line] = lines;
    if (line === undefined || this.#rules.get(line.rule_id)?.add(lines, request, guard) !== true) return;
    this.#perMinute.add(line.at);
    const { fields } = request.context;
    const namespace = String(fields['namespace'] ?? fields['k8s.ns.name'] ?? '');
    this.#cells.add(JSON.stringify([line.rule_id, namespace, dayOf(line.at)]));
  }

  rule(id: string): RuleTally | undefined {
    return this.#rules.get(id);
  }

  /** Alerts some rule would have acted on, by rule. */
  alertsByRule(): readonly (readonly [rule: string, alerts: ReadonlySet<string>])[] {
    return [...this.#rules].map(([id, { alerts }]) => [id, alerts]);
  }

  get peakPerMinute(): PeakReport | undefined {
    return peakReport(this.#perMinute);
  }

  cells(): readonly Cell[] {
    const cells = this.#cells.entries().map(([key, actions]): Cell => {
      // Beyond the bound the rest stands together.
      if (!key.startsWith('[')) return { rule: key, namespace: key, day: key, actions };
      const [rule, namespace, day] = JSON.parse(key) as [string, string, string];
      return { rule, namespace, day, actions };
    });
    return cells.sort((a, b) => compare(a.day, b.day) || compare(a.rule, b.rule) || b.actions - a.actions);
  }

  outcomes(): readonly RuleOutcome[] {
    return [...this.#rules].map(([rule, tally]) => {
      const minute = peakReport(tally.perMinute);
      const day = peakReport(tally.perDay);
      return {
        rule,
        mode: this.#modes.get(rule) ?? 'dry_run',
        actions: tally.actions,
        guard_unknown: tally.guardUnknown,
        guards_from_ledger: tally.guardsFromLedger,
        suppressed: tally.suppressed.toJSON(),
        denied: tally.denied.toJSON(),
        ...(minute !== undefined && { peak_per_minute: minute }),
        ...(day !== undefined && { peak_per_day: day }),
        alerts: tally.alerts.size,
        ...(tally.overflowed && { overflowed: true }),
      };
    });
  }
}

function peakReport({ best }: Peak): PeakReport | undefined {
  return best.count === 0 ? undefined : { at: new Date(best.at).toISOString(), actions: best.count };
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
