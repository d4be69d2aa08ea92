import type { ActionClass } from '@eyrie/schemas';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { RuleTally } from './rule-tally.ts';
import { workloadParts } from './workload-key.ts';

/** What a rule must keep to on history before it may enforce. */
export interface PromotionLimits {
  /** Actions on one day (UTC). */
  readonly maxPerDay: number;
  readonly minHistoryMs: number;
  /** Of the pods of one workload, 0…1. */
  readonly maxWorkloadShare: number;
}

interface Found {
  readonly class: ActionClass;
  readonly historyMs: number;
  readonly tally: RuleTally;
  /** By `workloadKey`: most pods known. */
  readonly pods: ReadonlyMap<string, number>;
}

/** Actions from here on break something. */
const DISRUPTIVE = 3;
const DAY_MS = 86_400_000;
const NAMED = 5;

/** Why a rule may not enforce yet; nothing when it may. */
export function promotionRefusals(found: Found, limits: PromotionLimits): readonly string[] {
  const { tally, historyMs } = found;
  const refusals: string[] = [];
  if (historyMs < limits.minHistoryMs) {
    refusals.push(`the history found is ${days(historyMs)} days long, less than ${days(limits.minHistoryMs)}`);
  }
  const { at, count } = tally.perDay.best;
  if (count > limits.maxPerDay) {
    refusals.push(
      `${count} actions on ${new Date(at).toISOString().slice(0, 10)}, more than ${limits.maxPerDay} a day`,
    );
  }
  if (tally.overflowed) refusals.push('it would have acted on more alerts or pods than are remembered');
  return [...refusals, ...shareRefusals(found, limits)];
}

/** A notice touches no pod: shares are asked of what changes a cluster. */
function shareRefusals({ class: actionClass, tally, pods }: Found, { maxWorkloadShare }: PromotionLimits): string[] {
  if (actionClass < REVERSIBLE) return [];
  const over: string[] = [];
  const unknown: string[] = [];
  for (const [workload, { size }] of tally.targets) {
    const { cluster, namespace, kind, name } = workloadParts(workload);
    const place = `${cluster}/${namespace} ${kind} ${name}`;
    const known = pods.get(workload) ?? 0;
    if (known === 0) unknown.push(place);
    else if (size > known * maxWorkloadShare) over.push(`${size} of ${known} pods of ${place}`);
  }
  if (tally.withoutWorkload > 0) unknown.push(`${tally.withoutWorkload} actions on targets of no known workload`);
  return [
    ...(over.length > 0 ? [`${some(over)}: more than ${Math.round(maxWorkloadShare * 100)} % of a workload`] : []),
    ...(unknown.length > 0 && actionClass >= DISRUPTIVE
      ? [`how many pods there are is not known: ${some(unknown)}`]
      : []),
  ];
}

function some(items: readonly string[]): string {
  const rest = items.length - NAMED;
  return [...items.slice(0, NAMED), ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ');
}

/** Rounded down: what is short of a bound never looks as if it reached it. */
function days(ms: number): number {
  return Math.floor((ms / DAY_MS) * 100) / 100;
}
