import { FORMATS } from '@eyrie/schemas';
import type { Decision } from './decision.ts';
import { type OwnerState, type Plan, putPlan, type Window } from './state.ts';

const PLAN = 'p/';
const WINDOW = 'w/';
const COOLDOWN = 'c/';

/** The committed entries a decision changes; null removes. */
export function stateChanges(decision: Decision): (readonly [key: string, value: Buffer | null])[] {
  return [
    ...decision.plans.map((plan) => [PLAN + plan.key, encode(plan)] as const),
    ...decision.removed.map((key) => [PLAN + key, null] as const),
    ...decision.windows.map(([key, window]) => [WINDOW + key, window && encode(window)] as const),
    ...decision.cooldowns.map(([key, until]) => [COOLDOWN + key, until === null ? null : encode({ until })] as const),
  ];
}

/** Takes one committed entry into the state. False: it was written by a newer version, or is none of ours. */
export function restoreEntry(state: OwnerState, key: string, value: Buffer): boolean {
  const entry = JSON.parse(value.toString()) as { readonly v?: number };
  if (key.startsWith(PLAN)) {
    if (entry.v === undefined || entry.v > FORMATS.actionState) return false;
    putPlan(state, entry as Plan);
  } else if (key.startsWith(WINDOW)) state.windows.set(key.slice(WINDOW.length), entry as unknown as Window);
  else if (key.startsWith(COOLDOWN)) {
    state.cooldowns.set(key.slice(COOLDOWN.length), (entry as unknown as { readonly until: number }).until);
  } else return false;
  return true;
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
