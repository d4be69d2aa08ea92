import { type ActionReason, UNDOABLE_STATES, type UndoRequest } from '@eyrie/schemas';
import {
  type Call,
  type Decision,
  type EffectResult,
  type LedgerLine,
  NOTHING,
  type OwnerOptions,
} from './decision.ts';
import { advance, settle } from './ledger.ts';
import { type OwnerState, type Plan, type Step, undoName } from './state.ts';

/** Undos of a partition under way at once. */
const AT_ONCE = 8;
const ATTEMPTS = 10;
const BACKOFF_MS = { initial: 2_000, maximum: 600_000 };

/** The step is to be taken back at a time that survives the process. */
export function scheduleUndo(
  plan: Plan,
  index: number,
  at: number,
  reason: ActionReason,
  now: number,
  by?: string,
): { readonly plan: Plan; readonly line: LedgerLine } {
  const undo = { at, attempt: 0, ...(by !== undefined && { by }) };
  return advance(plan, index, { state: 'undo_scheduled', reason, undo }, now, undefined, by);
}

/** A person wants it back now. What was never done, or cannot be undone, is left as it is. */
export function askUndo(state: OwnerState, request: UndoRequest, now: number): Decision {
  const plan = state.plans.get(request.plan);
  if (plan === undefined || plan.tenant !== request.tenant) return NOTHING;
  const index = plan.steps.findIndex(({ intent_key }) => intent_key === request.intent_key);
  const step = plan.steps[index];
  if (step === undefined || !UNDOABLE_STATES.has(step.state) || plan.todo?.actions[index]?.undoable !== true)
    return NOTHING;
  if (plan.mode === 'dry_run' || state.undoing.has(undoName(plan.key, index))) return NOTHING;
  const asked = scheduleUndo(plan, index, now, 'asked', now, request.by);
  return { ...NOTHING, plans: [asked.plan], ledger: [asked.line] };
}

/** Begins what is due. `begun`: plans of the same decision, as they are after it. */
export function beginUndos(
  state: OwnerState,
  begun: readonly Plan[],
  now: number,
  options: OwnerOptions,
): Pick<Decision, 'plans' | 'ledger' | 'calls'> {
  const plans: Plan[] = [];
  const ledger: LedgerLine[] = [];
  const calls: Call[] = [];
  // A plan whose next action begins in this very decision is looked at again in the next.
  const begunKeys = new Set(begun.map(({ key }) => key));
  for (const [key, index] of dueUndos(state, now)) {
    if (state.undoing.size + calls.length >= AT_ONCE) break;
    const plan = state.plans.get(key);
    const step = plan?.steps[index];
    const action = plan?.todo?.actions[index];
    if (plan === undefined || step?.undo === undefined || action === undefined || begunKeys.has(key)) continue;
    const undo = { ...step.undo, attempt: step.undo.attempt + 1 };
    const change = { state: 'undo_scheduled', reason: 'started', incarnation: options.incarnation, undo } as const;
    const next = advance(plan, index, change, now, undefined, undo.by);
    const intent = next.plan.steps[index];
    if (intent === undefined) continue;
    plans.push(next.plan);
    ledger.push(next.line);
    calls.push({ plan: next.plan, step: index, intent, action, dry: false, undo: true });
  }
  return { plans, ledger, calls };
}

/** Of each plan the last step that is due, one at a time: what was done last is taken back first. */
function dueUndos(state: OwnerState, now: number): ReadonlyMap<string, number> {
  const due = new Map<string, number>();
  const busy = new Set<string>();
  for (const [name, { plan, step, at }] of state.undos) {
    if (state.undoing.has(name)) busy.add(plan);
    else if (at <= now) due.set(plan, Math.max(step, due.get(plan) ?? 0));
  }
  for (const plan of busy) due.delete(plan);
  return due;
}

/** When the next undo may begin; Infinity when all that are due wait for another to end. */
export function nextUndo({ undos, undoing }: OwnerState): number {
  if (undoing.size >= AT_ONCE) return Number.POSITIVE_INFINITY;
  const busy = new Set([...undoing].map((name) => name.slice(0, name.lastIndexOf('/'))));
  let next = Number.POSITIVE_INFINITY;
  for (const { plan, at } of undos.values()) if (!busy.has(plan)) next = Math.min(next, at);
  return next;
}

/** An undo ended. It only ever takes back what is as it was set, so it may be repeated. */
export function finishUndo(state: OwnerState, key: string, index: number, result: EffectResult, now: number): Decision {
  state.undoing.delete(undoName(key, index));
  const plan = state.plans.get(key);
  const step = plan?.steps[index];
  if (plan === undefined || step?.undo === undefined) return NOTHING;
  const { by, attempt } = step.undo;
  const end = (to: Step['state'], reason: ActionReason): Decision => {
    const ended = advance(plan, index, { state: to, reason }, now, result.detail, by);
    return { ...NOTHING, plans: [settle(ended.plan)], ledger: [ended.line] };
  };
  switch (result.kind) {
    case 'succeeded':
      return end('undone', result.reason ?? 'done');
    case 'denied':
      return end('undo_skipped', result.reason);
    case 'failed':
      return end('undo_failed', result.reason);
    default: {
      if (attempt >= ATTEMPTS) return end('undo_failed', result.reason);
      const wait = Math.min(BACKOFF_MS.maximum, BACKOFF_MS.initial * 2 ** (attempt - 1));
      const at = now + Math.max(wait, (result.kind === 'retry' ? result.afterMs : undefined) ?? 0);
      const again = advance(
        plan,
        index,
        { state: 'undo_scheduled', reason: result.reason, undo: { ...step.undo, at } },
        now,
        result.detail,
        by,
      );
      return { ...NOTHING, plans: [again.plan], ledger: [again.line] };
    }
  }
}
