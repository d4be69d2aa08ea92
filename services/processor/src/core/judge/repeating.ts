import { type Event, priorityRank, type Score } from '@eyrie/schemas';
import { growthOf } from './folding.ts';
import type { Handle } from './handle.ts';
import { handlesAt, type Spot } from './places.ts';
import { findTarget, rankOf, union, worseScore } from './record.ts';
import { isOpen, type JudgeState } from './state.ts';
import { interactiveUser } from './targets.ts';
import type { JudgeOptions } from './types.ts';

/**
 * The alert an event repeats: the only one of its fingerprint, open, hidden by nobody, and told before of the event's
 * target, user, priority and labels. `fold` says the same of such an event; most events are such, and for them this is
 * all there is to ask. Undefined where more may come of it.
 */
export function repeatedAlert(
  state: JudgeState,
  spot: Spot,
  event: Event,
  now: number,
  options: JudgeOptions,
): Handle | undefined {
  if (state.aliases.has(spot.print)) return undefined;
  const handles = handlesAt(spot, state);
  const handle = handles[0];
  if (handle === undefined || handles.length > 1) return undefined;
  const { record } = handle;
  const { alert, hidden } = record;
  if (!isOpen(alert) || record.isEnded || event.time < alert.opened_at || event.time >= record.end) return undefined;
  if (hidden.dismissed !== undefined || hidden.exception !== undefined || hidden.silences !== undefined)
    return undefined;
  if (event.priority !== alert.priority && priorityRank(event.priority) > rankOf(alert)) return undefined;
  const user = interactiveUser(event);
  if (user !== undefined && !record.users.includes(user)) return undefined;
  if (growthOf(alert, false, now, options) !== undefined) return undefined;
  const key = spot.place.target;
  if (alert.targets[spot.target]?.key !== key) spot.target = findTarget(alert.targets, key);
  return spot.target >= 0 && hasLabels(spot, handle, event) ? handle : undefined;
}

/** Whether the alert shows a score at least as bad. */
export function hasScore({ record }: Handle, score: Score): boolean {
  const held = record.alert.score;
  return held === score || worseScore(held, score) === held;
}

/** Labels of an alert are never taken away: what it was found to hold, it holds. */
function hasLabels(spot: Spot, handle: Handle, { tags, tactics, techniques }: Event): boolean {
  const { told } = spot;
  if (told?.handle === handle && told.tags === tags && told.tactics === tactics && told.techniques === techniques)
    return true;
  const { alert } = handle.record;
  if (union(alert.tags, tags) !== alert.tags) return false;
  if (union(alert.tactics, tactics) !== alert.tactics) return false;
  if (union(alert.techniques, techniques) !== alert.techniques) return false;
  spot.told = { handle, tags, tactics, techniques };
  return true;
}
