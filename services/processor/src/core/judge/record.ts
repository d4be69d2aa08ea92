import { type Alert, LIMITS, type Nanos, priorityRank, type Score, type Target } from '@eyrie/schemas';
import type { Subject } from './types.ts';

/** What the judge holds of an alert: the alert as it is now and what decides about its next event. Never changed in place. */
export interface AlertRecord {
  /** Current; `version`, `change`, `updated_at`, `documents_version` are those of the last version written. */
  readonly alert: Alert;
  /** Earliest time that joins, and first time that does not. */
  readonly from: Nanos;
  readonly end: Nanos;
  /** Milliseconds of intake time of its latest event. */
  readonly lastIntake: number;
  /** `count` of the last version written. */
  readonly writtenCount: number;
  /** A person resolved it and its detection restarts: no event joins any more. */
  readonly isEnded: boolean;
  /** Opening subject and entity, while a better identity may come. */
  readonly waiting?: { readonly entity: string; readonly subject: Subject; readonly isOwn: boolean };
  /** New targets and users already written at once. */
  readonly breakThroughs: number;
  /** Interactive users seen, the first 64. */
  readonly users: readonly string[];
  readonly hidden: Hidden;
}

/** Why an alert may be hidden; the score's own reason lies in the score. */
export interface Hidden {
  /** Rank of the highest priority the dismissal knew. */
  readonly dismissed?: number;
  readonly exception?: string;
  /** Ids of the silences that matched its opening event. */
  readonly silences?: readonly string[];
}

export const USERS_MAX = 64;
const LABELS_MAX = 64;
const BANDS = ['suppress', 'low', 'review', 'page'] as const;

/** 3 for page down to 0 for suppress; a floor keeps it at review or above. */
export function bandRank(score: Score): number {
  const rank = BANDS.indexOf(score.band);
  return score.floor === undefined ? rank : Math.max(rank, 2);
}

/** The column an alert counts in, and why. A floor is never hidden by score or exception; only a person's silence hides it. */
export function dispositionOf(hidden: Hidden, score: Score): Pick<Alert, 'disposition' | 'disposition_reason'> {
  if (hidden.dismissed !== undefined) return { disposition: 'suppressed', disposition_reason: 'dismissed' };
  if (hidden.exception !== undefined) return { disposition: 'suppressed', disposition_reason: 'exception' };
  if (bandRank(score) === 0) return { disposition: 'suppressed', disposition_reason: 'score' };
  if (hidden.silences !== undefined) return { disposition: 'suppressed', disposition_reason: 'silenced' };
  return { disposition: bandRank(score) === 3 ? 'alert' : 'review' };
}

/** The alert with its disposition derived anew. */
export function dispose(alert: Alert, hidden: Hidden): Alert {
  const { disposition, disposition_reason } = dispositionOf(hidden, alert.score);
  if (alert.disposition === disposition && alert.disposition_reason === disposition_reason) return alert;
  const { disposition_reason: _, ...rest } = alert;
  return disposition_reason === undefined ? { ...rest, disposition } : { ...rest, disposition, disposition_reason };
}

/** The worse of two scores: worse band, or a floor where there was none. The first stays otherwise. */
export function worseScore(held: Score, other: Score): Score {
  if (bandRank(other) > bandRank(held)) return other;
  return other.floor !== undefined && held.floor === undefined ? other : held;
}

export function rankOf(alert: Alert): number {
  return priorityRank(alert.priority);
}

/** Adds labels that are new, up to a bound; the same list when none is. */
export function union(held: readonly string[], more: readonly string[] | undefined): readonly string[] {
  if (more === undefined || more.length === 0) return held;
  let list: string[] | undefined;
  for (const label of more) {
    if (held.includes(label) || list?.includes(label)) continue;
    if (held.length + (list?.length ?? 0) >= LABELS_MAX) break;
    list ??= [];
    list.push(label);
  }
  return list === undefined ? held : [...held, ...list];
}

/** Where a target stands in the list, −1 when it is not in it. */
export function findTarget(targets: readonly Target[], key: string): number {
  for (let i = 0; i < targets.length; i += 1) if (targets[i]?.key === key) return i;
  return -1;
}

export function isFull(targets: readonly Target[]): boolean {
  return targets.length >= LIMITS.targets;
}
