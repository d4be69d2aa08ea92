import type { ActionRecord, OwnerRequest } from '@eyrie/schemas';
import type { PlannedAction } from '../rules/compiled.ts';
import type { OwnerState, Plan, Step, Window } from './state.ts';
import { laneOf, putPlan, removePlan, undoName } from './state.ts';

/** How a call ended. `ambiguous`: it may have had its effect or not. */
export type EffectResult =
  | { readonly kind: 'succeeded'; readonly reason?: ActionRecord['reason']; readonly detail?: string }
  | { readonly kind: 'failed'; readonly reason: ActionRecord['reason']; readonly detail?: string }
  /** A guard said no, before anything was done. */
  | { readonly kind: 'denied'; readonly reason: ActionRecord['reason']; readonly detail?: string }
  | {
      readonly kind: 'retry';
      readonly reason: ActionRecord['reason'];
      readonly afterMs?: number;
      /** It is about this target alone: others need not wait. */
      readonly isOwn?: true;
      readonly detail?: string;
    }
  | { readonly kind: 'ambiguous'; readonly reason: ActionRecord['reason']; readonly detail?: string };

export type OwnerInput =
  | { readonly kind: 'request'; readonly request: OwnerRequest }
  /** Give up what waited too long. */
  | { readonly kind: 'overdue' }
  /** Begin what may begin. */
  | { readonly kind: 'start' }
  | {
      readonly kind: 'result';
      readonly plan: string;
      readonly step: number;
      readonly result: EffectResult;
      /** It was an undo. */
      readonly undo?: boolean;
    }
  /** After a restore: what another incarnation began. */
  | { readonly kind: 'recover' }
  /** Forget what can no longer matter. */
  | { readonly kind: 'expire' };

export interface OwnerOptions {
  /** Random, made with the assignment. */
  readonly incarnation: string;
  /** How long an alert can still change after it was opened, milliseconds. */
  readonly alertLifeMs: number;
  /** Plans kept at most; of those done the oldest go first. */
  readonly plansMax: number;
  /** Plans that wait for notices and scripts alone; beyond it such rules are suppressed, so that others go on. */
  readonly noticesMax: number;
  /** Notices are given up after this, milliseconds. */
  readonly notifyDeadlineMs: number;
  /** Owners among whom the global limit is split. */
  readonly partitions: number;
  /** 0…1 of the moment, for jitter. */
  readonly jitter: number;
}

/** A call to make once the decision is durable. */
export interface Call {
  readonly plan: Plan;
  readonly step: number;
  readonly intent: Step;
  readonly action: PlannedAction;
  /** To be proven, not done. */
  readonly dry: boolean;
  /** To be taken back. */
  readonly undo?: true;
}

/** A line before it has its place in the chain. */
export type LedgerLine = Omit<ActionRecord, 'mac' | 'seq' | 'digest' | 'chain'>;

export interface Decision {
  readonly plans: readonly Plan[];
  readonly removed: readonly string[];
  readonly windows: readonly (readonly [key: string, window: Window | null])[];
  readonly cooldowns: readonly (readonly [key: string, until: number | null])[];
  readonly breakers: readonly (readonly [tenant: string, since: number | null])[];
  readonly ledger: readonly LedgerLine[];
  readonly calls: readonly Call[];
  /** Lanes that rest until then. */
  readonly rests: readonly (readonly [action: PlannedAction, until: number])[];
  /** Plans that wait until then. */
  readonly delays: readonly (readonly [plan: string, until: number])[];
  /** Bounds reached, for `eyrie_bound_reached_total`. */
  readonly bounds: readonly ('responder_plans' | 'responder_breaker' | 'responder_thresholds')[];
}

export const NOTHING: Decision = {
  plans: [],
  removed: [],
  windows: [],
  cooldowns: [],
  breakers: [],
  ledger: [],
  calls: [],
  rests: [],
  delays: [],
  bounds: [],
};

/** Makes a decision so. The state has one owner: its maps are changed in place. */
export function evolve(state: OwnerState, decision: Decision): void {
  for (const plan of decision.plans) putPlan(state, plan);
  for (const key of decision.removed) removePlan(state, key);
  for (const [key, window] of decision.windows) {
    if (window === null) state.windows.delete(key);
    else state.windows.set(key, window);
  }
  for (const [key, until] of decision.cooldowns) {
    if (until === null) state.cooldowns.delete(key);
    else state.cooldowns.set(key, until);
  }
  for (const [tenant, since] of decision.breakers) {
    if (since === null) state.breakers.delete(tenant);
    else state.breakers.set(tenant, since);
  }
  for (const [action, until] of decision.rests) {
    const lane = laneOf(state, action.lane);
    lane.freeAt = Math.max(lane.freeAt, until);
  }
  for (const [key, until] of decision.delays) state.delayed.set(key, until);
  for (const { undo, plan, step } of decision.calls) if (undo === true) state.undoing.add(undoName(plan.key, step));
}
