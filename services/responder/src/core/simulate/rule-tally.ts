import type { ActionRequest } from '@eyrie/schemas';
import type { LedgerLine } from '../owner/decision.ts';
import { Counts, Peak } from './counts.ts';
import { decisionOfLines, type GuardSource } from './live-ledger.ts';
import { workloadKey } from './workload-key.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Alerts, and targets of workloads, remembered for one rule. */
const NAMES_MAX = 100_000;

/** What one rule would have done; accumulates. An action is one intent: a rule with two actions does two for a target. */
export class RuleTally {
  actions = 0;
  /** Of the actions those whose guards would have asked a cluster that nobody asked. */
  guardUnknown = 0;
  guardsFromLedger = 0;
  readonly suppressed = new Counts();
  readonly denied = new Counts();
  readonly perMinute = new Peak(MINUTE_MS);
  readonly perDay = new Peak(DAY_MS);
  /** Alerts it would have acted on. */
  readonly alerts = new Set<string>();
  /** By `workloadKey`: targets it would have acted on. */
  readonly targets = new Map<string, Set<string>>();
  /** Actions on targets of no known workload. */
  withoutWorkload = 0;
  /** More alerts or targets than are remembered. */
  overflowed = false;
  #targets = 0;

  /** All lines of one intent. True when it acts. */
  add(lines: readonly LedgerLine[], request: ActionRequest, guard: GuardSource): boolean {
    const [line] = lines;
    if (line === undefined) return false;
    if (guard === 'ledger') this.guardsFromLedger += 1;
    const last = lines.at(-1) ?? line;
    const decided = decisionOfLines(lines);
    // A step behind one that was denied is never begun.
    if (decided !== 'acts' || last.state === 'suppressed') {
      (last.state === 'denied' ? this.denied : this.suppressed).add(last.reason);
      return false;
    }
    this.actions += 1;
    if (guard === 'unknown') this.guardUnknown += 1;
    this.perMinute.add(line.at);
    this.perDay.add(line.at);
    this.#remember(line.alert_id, request);
    return true;
  }

  #remember(alertId: string, request: ActionRequest): void {
    if (this.alerts.size < NAMES_MAX) this.alerts.add(alertId);
    else if (!this.alerts.has(alertId)) this.overflowed = true;
    const { tenant, cluster, context } = request;
    const { namespace, workload_kind: kind, workload: name } = context.fields;
    if (name === undefined) {
      this.withoutWorkload += 1;
      return;
    }
    const workload = workloadKey([tenant, cluster, namespace, kind, name]);
    const targets = this.targets.get(workload) ?? new Set();
    if (targets.has(request.target)) return;
    if (this.#targets === NAMES_MAX) {
      this.overflowed = true;
      return;
    }
    this.#targets += 1;
    this.targets.set(workload, targets.add(request.target));
  }
}
