import {
  type Alert,
  type AlertChange,
  type Event,
  LIMITS,
  priorityRank,
  type Reason,
  type Score,
  type Target,
} from '@eyrie/schemas';
import type { Draft, Draw } from './draft.ts';
import { earlierOf, laterOf } from './moments.ts';
import { sampleOf, silencesOf } from './opening.ts';
import type { Placed } from './placing.ts';
import {
  type AlertRecord,
  bandRank,
  findTarget,
  type Hidden,
  isFull,
  rankOf,
  USERS_MAX,
  union,
  worseScore,
} from './record.ts';
import { isOpen } from './state.ts';
import { countOn, firstTarget, interactiveUser, targetKey } from './targets.ts';
import type { JudgeOptions } from './types.ts';

/** Joins an event to an alert (rules 2 to 4). */
export function fold(draft: Draft, draw: Draw, event: Event, placed: Placed, score: Score): Reason<'folded'> {
  const { record } = draw;
  const { alert: before } = record;
  const wasOpen = isOpen(before);
  const isEarlier = event.time < before.opened_at;
  const key = targetKey(event, placed.identity);
  const at = findTarget(before.targets, key);
  const isMore = at < 0 && isFull(before.targets);
  const isNewTarget = at < 0 && !isMore;
  const user = interactiveUser(event);
  const isNewUser = user !== undefined && !record.users.includes(user);
  const rises = priorityRank(event.priority) > rankOf(before);
  const techniques = union(before.techniques, event.techniques);
  const tactics = union(before.tactics, event.tactics);
  const tags = union(before.tags, event.tags);
  const worst = worseScore(before.score, score);
  const hidden = unhide(draft, record, event, placed, score);
  const isLarger = techniques !== before.techniques || tactics !== before.tactics || tags !== before.tags;
  const isFirstOver = isMore && before.targets_more === 0;
  const growth = growthOf(before, isFirstOver, draft.now, draft.options);
  const isSame = !isNewUser && !rises && !isLarger && worst === before.score && hidden === record.hidden;
  const onlyGrows = isSame && !isNewTarget;
  const ending = wasOpen ? (isEarlier ? 'earlier' : 'repeat') : 'late_join';

  if (onlyGrows && growth === undefined && draft.isQuiet && draw.handle !== undefined && record === draw.before) {
    draft.effects.push({ kind: 'grow', handle: draw.handle, at, time: event.time, intake: event.received_at });
    return ending;
  }
  const hasRoom = isNewTarget && before.samples.length < LIMITS.samples;
  const samples = hasRoom ? [...before.samples, sampleOf(event, key)] : before.samples;
  const next = grown(record, event, at, isNewTarget ? firstTarget(key, event, placed.identity) : undefined, samples);
  if (isFirstOver) draft.bounds.push('judge_targets');
  if (onlyGrows) {
    if (growth === undefined) draft.replaceCounters(draw, next, at);
    else draft.publishGrowth(draw, next, growth, at);
    return ending;
  }

  if (isSame) {
    const change = breakThrough(draft, next, true, false);
    const place = before.targets.length;
    if (change !== undefined) {
      draft.publishGrowth(draw, { ...next, breakThroughs: next.breakThroughs + 1 }, change, place);
    } else if (growth === undefined) draft.replaceCounters(draw, next, place);
    else draft.publishGrowth(draw, next, growth, place);
    return 'new_target';
  }
  const changed = draft.dispose({
    ...next,
    alert: {
      ...next.alert,
      techniques,
      tactics,
      tags,
      ...(rises && { priority: event.priority }),
      score: worst,
    },
    users: isNewUser && record.users.length < USERS_MAX ? [...record.users, user] : record.users,
    hidden,
  });
  const isShownNow = before.disposition === 'suppressed' && changed.alert.disposition !== 'suppressed';
  const isWorse =
    bandRank(worst) > bandRank(before.score) || (worst.floor !== undefined && before.score.floor === undefined);
  const isEscalation = rises || isWorse || isShownNow || techniques !== before.techniques;
  if (isEscalation) {
    const isTold = before.notify || rises || isWorse || isShownNow;
    const onlySilence =
      isShownNow && !rises && !isWorse && techniques === before.techniques && before.disposition_reason === 'silenced';
    const shown = reopenTriage(before, isShownNow, { ...changed, alert: { ...changed.alert, notify: isTold } });
    draft.publish(draw, shown, onlySilence ? 'silence_ended' : 'escalated');
    return 'escalation';
  }
  const change = breakThrough(draft, changed, isNewTarget, isNewUser && record.users.length < USERS_MAX);
  if (change !== undefined) {
    draft.publish(draw, { ...changed, breakThroughs: changed.breakThroughs + 1 }, change);
  } else if (growth === undefined) draft.replace(draw, changed);
  else draft.publish(draw, changed, growth);
  if (isNewTarget) return 'new_target';
  return isNewUser ? 'new_user' : ending;
}

/** The record with one event more. */
function grown(
  record: AlertRecord,
  event: Event,
  at: number,
  newTarget: Target | undefined,
  samples: Alert['samples'],
): AlertRecord {
  const { alert } = record;
  const held = alert.targets[at];
  const targets = alert.targets.slice();
  if (newTarget !== undefined) targets.push(newTarget);
  else if (held !== undefined) targets[at] = countOn(held, event.time);
  return {
    ...record,
    lastIntake: Math.max(record.lastIntake, event.received_at),
    alert: {
      ...alert,
      count: alert.count + 1,
      first_seen: earlierOf(alert.first_seen, event.time),
      last_seen: laterOf(alert.last_seen, event.time),
      targets,
      samples,
      targets_more: alert.targets_more + (newTarget === undefined && held === undefined ? 1 : 0),
    },
  };
}

/** A version for growth alone: at 2, 4, 8, … and once an interval (rule 3). */
export function growthOf(
  before: Alert,
  isFirstOver: boolean,
  now: number,
  { intervalMs }: Pick<JudgeOptions, 'intervalMs'>,
): AlertChange | undefined {
  if (isFirstOver) return 'targets_full';
  if (isPowerOfTwo(before.count + 1)) return 'count';
  return now >= before.updated_at + intervalMs ? 'interval' : undefined;
}

function isPowerOfTwo(count: number): boolean {
  return count < 2 ** 31 ? (count & (count - 1)) === 0 : Number.isInteger(Math.log2(count));
}

function breakThrough(
  draft: Draft,
  record: AlertRecord,
  isNewTarget: boolean,
  isNewUser: boolean,
): AlertChange | undefined {
  if (!isNewTarget && !isNewUser) return undefined;
  if (record.breakThroughs >= draft.options.breakThroughs) {
    draft.bounds.push('judge_break_throughs');
    return undefined;
  }
  return isNewTarget ? 'new_target' : 'new_user';
}

/** What still hides the alert after this event: a new floor or a rise ends a dismissal, an event no silence covers ends the silence. */
function unhide(draft: Draft, record: AlertRecord, event: Event, placed: Placed, score: Score): Hidden {
  const { hidden } = record;
  if (hidden.dismissed === undefined && hidden.exception === undefined && hidden.silences === undefined) return hidden;
  const hasNewFloor = score.floor !== undefined && record.alert.score.floor === undefined;
  const endsDismissal =
    hidden.dismissed !== undefined && (hasNewFloor || priorityRank(event.priority) > hidden.dismissed);
  const endsException = hidden.exception !== undefined && hasNewFloor;
  const endsSilence = hidden.silences !== undefined && silencesOf(draft, event, placed).length === 0;
  if (!endsDismissal && !endsException && !endsSilence) return hidden;
  return {
    ...(!endsDismissal && hidden.dismissed !== undefined && { dismissed: hidden.dismissed }),
    ...(!endsException && hidden.exception !== undefined && { exception: hidden.exception }),
    ...(!endsSilence && hidden.silences !== undefined && { silences: hidden.silences }),
  };
}

/** A dismissed alert that breaks through is new work: its triage starts again, with the word of the person kept. */
function reopenTriage(before: Alert, isShownNow: boolean, record: AlertRecord): AlertRecord {
  if (!isShownNow || before.triage.status !== 'dismissed') return record;
  return { ...record, alert: { ...record.alert, triage: { ...before.triage, status: 'new' } } };
}
