import { FORMATS } from '@eyrie/schemas';
import { BREAKER_PREFIX, HEAD_KEY } from '@eyrie/schemas/action-state';
import type { ChainHead } from '@eyrie/schemas/ledger-chain';
import { readObject } from '../read-object.ts';
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
    ...decision.breakers.map(
      ([tenant, since]) => [BREAKER_PREFIX + tenant, since === null ? null : encode({ since })] as const,
    ),
    ...decision.cooldowns.map(([key, until]) => [COOLDOWN + key, until === null ? null : encode({ until })] as const),
  ];
}

/** The entry of the ledger's head. */
export function headChange(head: ChainHead): readonly [key: string, value: Buffer] {
  return [HEAD_KEY, encode({ v: 1, ...head })];
}

/** What became of a committed entry. */
export type Restored =
  | 'taken'
  | 'newer'
  /** None of ours: nothing is lost with it. */
  | 'unreadable'
  /** The memory of what was done: without it, it could be done again. */
  | 'damaged-plan';

/** Takes one committed entry into the state. */
export function restoreEntry(state: OwnerState, key: string, value: Buffer): Restored {
  const entry = readObject(value.toString());
  if (key.startsWith(PLAN)) {
    const version = entry?.['v'];
    if (typeof version === 'number' && version > FORMATS.actionState) return 'newer';
    if (version === undefined || entry?.['key'] !== key.slice(PLAN.length)) return 'damaged-plan';
    putPlan(state, entry as unknown as Plan);
  } else if (key.startsWith(WINDOW) && Array.isArray(entry?.['times'])) {
    state.windows.set(key.slice(WINDOW.length), entry as unknown as Window);
  } else if (key.startsWith(COOLDOWN) && typeof entry?.['until'] === 'number') {
    state.cooldowns.set(key.slice(COOLDOWN.length), entry['until']);
  } else if (key.startsWith(BREAKER_PREFIX) && typeof entry?.['since'] === 'number') {
    state.breakers.set(key.slice(BREAKER_PREFIX.length), entry['since']);
  } else if (key === HEAD_KEY && typeof entry?.['seq'] === 'number' && typeof entry['chain'] === 'string') {
    state.head = { seq: entry['seq'], chain: entry['chain'] };
  } else return 'unreadable';
  return 'taken';
}

function encode(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
