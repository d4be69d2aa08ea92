import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { PlannedAction } from '../rules/compiled.ts';
import { giveUp } from './begin.ts';
import { type Decision, type EffectResult, type LedgerLine, NOTHING, type OwnerOptions } from './decision.ts';
import { advance, settle } from './ledger.ts';
import type { OwnerState, Plan, Step } from './state.ts';
import { scheduleUndo } from './undo.ts';

/** A call ended. An answer to a step that does not run (any more) has no effect. */
export function finish(
  state: OwnerState,
  key: string,
  index: number,
  result: EffectResult,
  now: number,
  options: OwnerOptions,
): Decision {
  const plan = state.plans.get(key);
  const step = plan?.steps[index];
  const action = plan?.todo?.actions[index];
  if (plan === undefined || action === undefined || step?.state !== 'executing') return NOTHING;
  return conclude(plan, index, step, action, result, now, options);
}

/** Everything that another incarnation began has an unknown ending. */
export function recover(state: OwnerState, now: number, options: OwnerOptions): Decision {
  const plans: Plan[] = [];
  const ledger: LedgerLine[] = [];
  for (const plan of state.plans.values()) {
    if (plan.todo === undefined) continue;
    for (const [index, step] of plan.steps.entries()) {
      const action = plan.todo.actions[index];
      if (step.state !== 'executing' || step.incarnation === options.incarnation || action === undefined) continue;
      const ended = conclude(plan, index, step, action, { kind: 'ambiguous', reason: 'crash' }, now, options);
      plans.push(...ended.plans);
      ledger.push(...ended.ledger);
      break; // At most one step of a plan runs.
    }
  }
  return { ...NOTHING, plans, ledger };
}

function conclude(
  plan: Plan,
  index: number,
  step: Step,
  action: PlannedAction,
  result: EffectResult,
  now: number,
  options: OwnerOptions,
): Decision {
  const { detail } = result;
  const end = (change: Pick<Step, 'state' | 'reason'>) => endStep(plan, index, action, change, now, detail);
  const again = (waitMs: number, mark: Pick<Step, 'unsure'> = {}): Decision => {
    const { plan: waiting, line } = advance(
      plan,
      index,
      { state: 'planned', reason: result.kind === 'succeeded' ? 'queued' : result.reason, ...mark },
      now,
      detail,
    );
    const until = now + waitMs;
    const isOwn = result.kind === 'retry' && result.isOwn === true;
    const wait = isOwn ? { delays: [[plan.key, until] as const] } : { rests: [[action, until] as const] };
    return { ...NOTHING, plans: [waiting], ledger: [line], ...wait };
  };

  switch (result.kind) {
    case 'succeeded':
      return end({ state: 'succeeded', reason: result.reason ?? 'done' });
    case 'denied':
      return end({ state: 'denied', reason: result.reason });
    case 'failed':
      return end({ state: 'failed', reason: result.reason });
    case 'retry': {
      if (step.attempt >= action.attempts) return end({ state: 'failed', reason: result.reason });
      if (isOverdue(plan, action, now, options)) return end(overdueEnding(step, action));
      return again(Math.max(result.afterMs ?? 0, backoffMs(action, step.attempt, options.jitter)));
    }
    case 'ambiguous': {
      const repeatable =
        action.recovery === 'repeat' && step.attempt < action.attempts && !isOverdue(plan, action, now, options);
      if (repeatable) return again(backoffMs(action, step.attempt, options.jitter), { unsure: true });
      if (action.recovery !== 'once' || step.resent === true) return end({ state: 'unknown', reason: result.reason });
      // Said so in the ledger, then begun once more, and never a third time.
      const said = advance(plan, index, { state: 'unknown', reason: result.reason }, now, detail);
      const waiting = advance(said.plan, index, { state: 'planned', reason: 'queued', resent: true }, now);
      return { ...NOTHING, plans: [waiting.plan], ledger: [said.line, waiting.line] };
    }
  }
}

/** The step has its ending; what comes after it in the plan goes on or is given up. */
export function endStep(
  plan: Plan,
  index: number,
  action: PlannedAction,
  change: Pick<Step, 'state' | 'reason'>,
  now: number,
  detail?: string,
): Decision {
  const isDry = plan.mode === 'dry_run';
  const { plan: ended, line } = advance(plan, index, isDry ? proven(change) : change, now, detail);
  if (!isDry && change.state === 'succeeded' && change.reason !== 'unchanged' && action.undoAfterMs !== undefined) {
    const timer = scheduleUndo(ended, index, now + action.undoAfterMs, 'timer', now);
    return { ...NOTHING, plans: [settle(timer.plan)], ledger: [line, timer.line] };
  }
  if (change.state === 'succeeded' || (isDry && change.state !== 'denied') || action.onError === 'continue') {
    return { ...NOTHING, plans: [settle(ended)], ledger: [line] };
  }
  // People are told of what could not be done, too.
  const rest = giveUp(ended, index + 1, 'earlier_failed', now, action.class >= REVERSIBLE);
  return { ...NOTHING, plans: [rest.plan], ledger: [line, ...rest.lines] };
}

/** Counted from the match, or from the approval: persons may take longer than an API server. */
export function isOverdue(
  { at, approved_at: approvedAt }: Plan,
  { deadlineMs }: PlannedAction,
  now: number,
  options: OwnerOptions,
): boolean {
  return now - (approvedAt ?? at) >= (deadlineMs ?? options.notifyDeadlineMs);
}

/** What may have had its effect is not called undone. */
export function overdueEnding({ unsure, resent }: Step, { deadlineMs }: PlannedAction): Pick<Step, 'state' | 'reason'> {
  if (unsure === true || resent === true) return { state: 'unknown', reason: 'deadline' };
  return { state: deadlineMs === undefined ? 'failed' : 'denied', reason: 'deadline' };
}

/** The ending of a proof: nothing was done, whatever the far side said. */
function proven({ state, reason }: Pick<Step, 'state' | 'reason'>): Pick<Step, 'state' | 'reason'> {
  if (state === 'denied') return { state, reason };
  return { state: 'simulated', reason: state === 'succeeded' ? 'dry_run' : 'not_proven' };
}

function backoffMs({ backoff }: PlannedAction, attempt: number, jitter: number): number {
  const ceiling = Math.min(backoff.maximumMs, backoff.initialMs * 2 ** Math.min(30, attempt - 1));
  return Math.ceil(ceiling * (0.5 + jitter / 2));
}
