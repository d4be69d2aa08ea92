import type {
  ActionClass,
  ActionContext,
  ActionMode,
  ActionReason,
  ActionState,
  AlertId,
  ClusterId,
  EventId,
  TenantId,
} from '@eyrie/schemas';
import { CHAIN_START, type ChainHead } from '@eyrie/schemas/ledger-chain';
import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { Lane, PlannedAction } from '../rules/compiled.ts';

/** One action of a plan: an intent. */
export interface Step {
  readonly intent_key: string;
  readonly action: string;
  readonly actionner: string;
  readonly class: ActionClass;
  readonly state: ActionState;
  readonly reason: ActionReason;
  /** Grows with each ledger line. */
  readonly version: number;
  readonly attempt: number;
  /** Whose call runs, while `executing`. */
  readonly incarnation: string;
  /** Its ending was unknown once and it was begun once more. */
  readonly resent?: true;
  /** While `undo_scheduled`: when, which try, and who asked. */
  readonly undo?: { readonly at: number; readonly attempt: number; readonly by?: string };
  /** A try of it may have had its effect. */
  readonly unsure?: true;
}

/** What a rule does for one (alert, target). Kept until the alert can no longer change, so that it never happens again. */
export interface Plan {
  readonly v: 1;
  readonly key: string;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly rule_id: string;
  readonly rule_version: string;
  readonly mode: ActionMode;
  readonly alert_id: AlertId;
  readonly event_id?: EventId;
  readonly target: string;
  /** Milliseconds. */
  readonly at: number;
  readonly expires_at: number;
  readonly steps: readonly Step[];
  /** When persons let it go on, milliseconds. */
  readonly approved_at?: number;
  /** While it waits for persons. */
  readonly approval?: Approval;
  /** The actions as they were when the rule matched, and what they may know: while one is still to be done or can be undone. */
  readonly todo?: { readonly actions: readonly PlannedAction[]; readonly context: ActionContext };
}

/** What a plan waits for. */
export interface Approval {
  /** Hash over what would be done. */
  readonly hash: string;
  readonly quorum: number;
  /** Milliseconds: then it is not done. */
  readonly until: number;
  /** Persons so far. */
  readonly by: readonly string[];
}

/** Moments at which a rule acted, within its limit's span; newest last. */
export interface Window {
  readonly times: readonly number[];
  readonly expires_at: number;
}

interface LaneState {
  readonly lane: Lane;
  /** Plans whose next action waits here, oldest first. */
  readonly waiting: Set<string>;
  running: number;
  freeAt: number;
}

/** Everything the owner of a partition knows. `plans`, `windows`, `cooldowns`, `breakers`, `head` are committed; the rest follows from them. */
export interface OwnerState {
  readonly plans: Map<string, Plan>;
  /** Key `<wet or dry>/<tenant>/<rule>`. */
  readonly windows: Map<string, Window>;
  /** Key `<wet or dry>/<tenant>/<rule>/<target>`: until when, milliseconds. */
  readonly cooldowns: Map<string, number>;
  /** Tenants whose breaker is open, and since when, milliseconds. */
  readonly breakers: Map<string, number>;
  readonly lanes: Map<string, LaneState>;
  /** Plans that wait for a time of their own, milliseconds; their lanes go on. */
  readonly delayed: Map<string, number>;
  /** Plans with an action still to be done. */
  active: number;
  /** Plans that wait for persons: until when, milliseconds. */
  readonly awaiting: Map<string, number>;
  /** Undos to come, by `undoName`. */
  readonly undos: Map<string, { readonly plan: string; readonly step: number; readonly at: number }>;
  /** Undos under way in this process. */
  readonly undoing: Set<string>;
  /** Last line of the partition's ledger. */
  head: ChainHead;
  /** Of them those with nothing left to do in a cluster. */
  notices: number;
}

export function emptyState(): OwnerState {
  return {
    plans: new Map(),
    windows: new Map(),
    cooldowns: new Map(),
    breakers: new Map(),
    lanes: new Map(),
    delayed: new Map(),
    active: 0,
    awaiting: new Map(),
    undos: new Map(),
    undoing: new Set(),
    head: CHAIN_START,
    notices: 0,
  };
}

/** The first step that has no ending yet: at most one runs at a time. */
export function currentStep(plan: Plan): number {
  return plan.todo === undefined
    ? -1
    : plan.steps.findIndex(({ state }) => state === 'planned' || state === 'executing');
}

/** Takes a plan in: new, changed, or restored. */
export function putPlan(state: OwnerState, plan: Plan): void {
  const before = state.plans.get(plan.key);
  if (before !== undefined) leaveLane(state, before);
  state.plans.set(plan.key, plan);
  state.delayed.delete(plan.key);
  const index = currentStep(plan);
  countActive(state, before, -1);
  countActive(state, plan, 1);
  putWaits(state, plan);
  const action = plan.todo?.actions[index];
  if (action === undefined) return;
  const lane = laneOf(state, action.lane);
  if (plan.steps[index]?.state === 'executing') lane.running += 1;
  else lane.waiting.add(plan.key);
}

export function removePlan(state: OwnerState, key: string): void {
  const plan = state.plans.get(key);
  if (plan === undefined) return;
  leaveLane(state, plan);
  state.delayed.delete(key);
  countActive(state, plan, -1);
  dropWaits(state, plan);
  state.plans.delete(key);
}

export function undoName(plan: string, step: number): string {
  return `${plan}/${step}`;
}

/** Something of it is still to come: an action, a word, an undo. What is only observed stays `planned` and never comes. */
export function isOpen(plan: Plan): boolean {
  return plan.todo !== undefined && plan.steps.some(({ state }) => OPEN.has(state));
}

const OPEN: ReadonlySet<ActionState> = new Set(['planned', 'executing', 'awaiting_approval', 'undo_scheduled']);

function putWaits(state: OwnerState, plan: Plan): void {
  dropWaits(state, plan);
  if (plan.approval !== undefined) state.awaiting.set(plan.key, plan.approval.until);
  for (const [step, { undo }] of plan.steps.entries()) {
    if (undo !== undefined) state.undos.set(undoName(plan.key, step), { plan: plan.key, step, at: undo.at });
  }
}

function dropWaits(state: OwnerState, plan: Plan): void {
  state.awaiting.delete(plan.key);
  for (const step of plan.steps.keys()) state.undos.delete(undoName(plan.key, step));
}

/** Plans that wait for a person or an undo are none: nothing of them runs. */
function countActive(state: OwnerState, plan: Plan | undefined, by: 1 | -1): void {
  if (plan === undefined || currentStep(plan) < 0) return;
  state.active += by;
  const isWaiting = (step: Step) => step.state === 'planned' || step.state === 'executing';
  if (!plan.steps.some((step) => isWaiting(step) && step.class >= REVERSIBLE)) state.notices += by;
}

function leaveLane(state: OwnerState, plan: Plan): void {
  const index = currentStep(plan);
  const action = plan.todo?.actions[index];
  if (action === undefined) return;
  const lane = laneOf(state, action.lane);
  if (plan.steps[index]?.state === 'executing') lane.running -= 1;
  else lane.waiting.delete(plan.key);
  if (lane.running === 0 && lane.waiting.size === 0 && lane.freeAt === 0) state.lanes.delete(action.lane.name);
}

export function laneOf(state: OwnerState, lane: Lane): LaneState {
  const found = state.lanes.get(lane.name);
  if (found !== undefined) return found;
  const made: LaneState = { lane, waiting: new Set(), running: 0, freeAt: 0 };
  state.lanes.set(lane.name, made);
  return made;
}
