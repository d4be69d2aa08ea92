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

/** Joins an event to an alert (rules 2 to 4). */
export function fold(draft: Draft, draw: Draw, event: Event, placed: Placed, score: Score): Reason<'folded'> {
  const { record } = draw;
  const { alert: before } = record;
  const wasOpen = isOpen(before);
  const isEarlier = event.time < before.opened_at;
  const target = onTarget(before.targets, event, placed);
  const user = interactiveUser(event);
  const isNewUser = user !== undefined && !record.users.includes(user);
  const rises = priorityRank(event.priority) > rankOf(before);
  const techniques = union(before.techniques, event.techniques);
  const tactics = union(before.tactics, event.tactics);
  const tags = union(before.tags, event.tags);
  const worst = worseScore(before.score, score);
  const hidden = unhide(draft, record, event, placed, score);

  const alert: Alert = {
    ...before,
    count: before.count + 1,
    first_seen: earlierOf(before.first_seen, event.time),
    last_seen: laterOf(before.last_seen, event.time),
    targets: target.targets,
    targets_more: before.targets_more + (target.isMore ? 1 : 0),
  };
  const next: AlertRecord = { ...record, alert, lastIntake: Math.max(record.lastIntake, event.received_at) };
  const isLarger = techniques !== before.techniques || tactics !== before.tactics || tags !== before.tags;
  const hasRoom = target.isNew && before.samples.length < LIMITS.samples;
  if (
    !target.isNew &&
    !isNewUser &&
    !rises &&
    !isLarger &&
    worst === before.score &&
    hidden === record.hidden &&
    !hasRoom
  ) {
    // The usual case: counters moved, nothing else. Only the changelog's small entry follows.
    const change = growth(draft, next, target.isMore && before.targets_more === 0);
    if (change === undefined) draft.replaceCounters(draw, next, target.at);
    else draft.publishGrowth(draw, next, change, target.at);
    if (change === 'targets_full') draft.bounds.push('judge_targets');
    return wasOpen ? (isEarlier ? 'earlier' : 'repeat') : 'late_join';
  }

  const changed = draft.dispose({
    ...next,
    alert: {
      ...alert,
      techniques,
      tactics,
      tags,
      ...(rises && { priority: event.priority }),
      score: worst,
      samples: hasRoom ? [...before.samples, sampleOf(event, target.key)] : before.samples,
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
  const change = breakThrough(draft, changed, target.isNew, isNewUser && record.users.length < USERS_MAX);
  if (change !== undefined) {
    draft.publish(draw, { ...changed, breakThroughs: changed.breakThroughs + 1 }, change);
  } else {
    const grown = growth(draft, changed, target.isMore && before.targets_more === 0);
    if (grown === undefined) draft.replace(draw, changed);
    else draft.publish(draw, changed, grown);
    if (grown === 'targets_full') draft.bounds.push('judge_targets');
  }
  if (target.isNew) return 'new_target';
  if (isNewUser) return 'new_user';
  return wasOpen ? (isEarlier ? 'earlier' : 'repeat') : 'late_join';
}

/** A version for growth alone: at 2, 4, 8, … and once an interval (rule 3). */
function growth(draft: Draft, { alert }: AlertRecord, isFirstOver: boolean): AlertChange | undefined {
  if (isFirstOver) return 'targets_full';
  if (Number.isInteger(Math.log2(alert.count))) return 'count';
  return draft.now >= alert.updated_at + draft.options.intervalMs ? 'interval' : undefined;
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

function onTarget(targets: readonly Target[], event: Event, { identity }: Placed) {
  const key = targetKey(event, identity);
  const at = findTarget(targets, key);
  const held = targets[at];
  if (held !== undefined) {
    const next = targets.slice();
    next[at] = countOn(held, event);
    return { key, targets: next, at, isNew: false, isMore: false };
  }
  if (isFull(targets)) return { key, targets, at: -1, isNew: false, isMore: true };
  return {
    key,
    targets: [...targets, firstTarget(key, event, identity)],
    at: targets.length,
    isNew: true,
    isMore: false,
  };
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
export function reopenTriage(before: Alert, isShownNow: boolean, record: AlertRecord): AlertRecord {
  if (!isShownNow || before.triage.status !== 'dismissed') return record;
  return { ...record, alert: { ...record.alert, triage: { ...before.triage, status: 'new' } } };
}
