import type { Alert, AlertId, Fingerprint } from '@eyrie/schemas';
import { byAge, type Draft, type Draw } from './draft.ts';
import { fingerprintOf, type Placed, place } from './placing.ts';
import { type AlertRecord, bandRank, type Hidden, rankOf, union, worseScore } from './record.ts';
import { isOpen } from './state.ts';
import { passTargets, rekeyTargets } from './targets.ts';
import { withoutDismissal } from './verdicts.ts';

/** Rule 7: gives the alerts that wait under a name the identity that is known now. */
export function refine(draft: Draft, name: string): void {
  const ids = draft.state.waiting.get(name);
  if (ids === undefined) return;
  const draws: Draw[] = [];
  for (const id of ids) {
    const draw = draft.byId(id);
    if (draw !== undefined) draws.push(draw);
  }
  draws.sort(byAge);
  for (const draw of draws) refineOne(draft, draw);
}

/**
 * The fingerprint an event without a known owner belongs to: that of an alert which waits for the same container, if
 * there is one. What stands in for an owner may change (an inventory begins to speak), the container does not.
 */
export function standInOf(draft: Draft, name: string, entity: string, routingKey: string): Fingerprint | undefined {
  // Only a stand-in that containers share may differ from what the event's own would be.
  if (draft.state.sharedWaiting === 0) return undefined;
  for (const id of draft.state.waiting.get(name) ?? []) {
    const handle = draft.state.alerts.get(id);
    if (handle === undefined) continue;
    const { waiting, alert } = draft.look(handle);
    if (waiting?.isOwn === false && waiting.entity === entity && alert.routing_key === routingKey) {
      return alert.fingerprint;
    }
  }
  return undefined;
}

function refineOne(draft: Draft, draw: Draw): void {
  const { record } = draw;
  const { waiting, alert } = record;
  if (waiting === undefined) return;
  const placed = place(waiting.subject, waiting.entity, draft.known(waiting.entity), draft.options);
  // The inventory began to speak for the cluster, but not of this container: what stands in stays.
  if (placed.identity.workload === undefined && !waiting.isOwn) return;
  const fingerprint = draft.resolve(fingerprintOf(alert.routing_key, placed.key));
  const isBetter = placed.identity.workload !== undefined && alert.identity.workload === undefined;
  if (fingerprint === alert.fingerprint && !isBetter && !placed.isFinal) return;

  if (fingerprint !== alert.fingerprint) {
    // A stand-in that several containers share would lead the others astray.
    if (waiting.isOwn) draft.setAlias(alert.fingerprint, fingerprint);
    passDismissal(draft, alert.fingerprint, fingerprint);
  }
  const amended = amend(record, waiting, placed, fingerprint);
  const other =
    isOpen(alert) && fingerprint !== alert.fingerprint
      ? draft.ofFingerprint(fingerprint).find((held) => held !== draw && isOpen(held.record.alert))
      : undefined;
  if (other === undefined) draft.publish(draw, amended, 'amended');
  else if (byAge(draw, other) < 0) merge(draft, draw, amended, other, other.record);
  else merge(draft, other, other.record, draw, amended);
}

function amend(
  record: AlertRecord,
  waiting: NonNullable<AlertRecord['waiting']>,
  placed: Placed,
  fingerprint: Fingerprint,
): AlertRecord {
  const { waiting: _, ...rest } = record;
  const { alert } = record;
  return {
    ...rest,
    ...(!placed.isFinal && { waiting: { ...waiting, isOwn: placed.isOwn } }),
    alert: {
      ...alert,
      fingerprint,
      identity: placed.identity,
      targets: rekeyTargets(alert.targets, waiting.subject.container_id, placed.identity),
    },
  };
}

/** The older alert stays and gets what people and responses need; counts stay where they are. */
function merge(draft: Draft, survivor: Draw, kept: AlertRecord, loser: Draw, lost: AlertRecord): void {
  const { alert } = kept;
  const from = lost.alert;
  draft.publish(loser, { ...lost, alert: { ...from, state: 'merged', merged_into: alert.alert_id } }, 'merged');
  const hasTriage = isTouched(alert);
  const rises = rankOf(from) > rankOf(alert);
  const wasShown = from.disposition !== 'suppressed';
  const hidden = mergedHiding(kept, lost, hasTriage, wasShown);
  const next = draft.dispose({
    ...kept,
    hidden,
    users: union(kept.users, lost.users),
    alert: {
      ...alert,
      ...(rises && { priority: from.priority }),
      techniques: union(alert.techniques, from.techniques),
      tactics: union(alert.tactics, from.tactics),
      tags: union(alert.tags, from.tags),
      score: worseScore(alert.score, from.score),
      targets: passTargets(alert.targets, from.targets, from.alert_id),
      triage: hasTriage ? alert.triage : from.triage,
      related: withId(alert.related, from.alert_id),
    },
  });
  const isRaised = rises || bandRank(next.alert.score) > bandRank(alert.score);
  const isShownNow = alert.disposition === 'suppressed' && next.alert.disposition !== 'suppressed';
  const notify = alert.notify || isRaised || isShownNow || (wasShown && from.notify);
  draft.publish(survivor, { ...next, alert: { ...next.alert, notify } }, 'amended');
}

/** Triage that passes over brings its dismissal; a silence that did not cover the other alert ends. */
function mergedHiding(kept: AlertRecord, lost: AlertRecord, hasTriage: boolean, wasShown: boolean): Hidden {
  const { silences, ...rest } = withoutDismissal(kept.hidden);
  const own = kept.hidden.dismissed;
  const passed = hasTriage || lost.alert.triage.status !== 'dismissed' ? undefined : lost.hidden.dismissed;
  const rank = own ?? passed;
  const holds = rank !== undefined && Math.max(rankOf(kept.alert), rankOf(lost.alert)) <= rank;
  return {
    ...rest,
    ...(holds && { dismissed: rank }),
    ...(silences !== undefined && !wasShown && { silences }),
  };
}

/** The dismissal of the stand-in holds for the refined fingerprint, where that has none that holds longer. */
function passDismissal(draft: Draft, from: Fingerprint, to: Fingerprint): void {
  const held = draft.dismissal(from);
  if (held === undefined) return;
  const there = draft.dismissal(to);
  if (there === undefined || there.until < held.until) draft.setDismissal(to, held);
  draft.setDismissal(from, undefined);
}

function isTouched({ triage }: Alert): boolean {
  return (
    triage.status !== 'new' ||
    triage.verdict !== undefined ||
    triage.assignee !== undefined ||
    triage.note !== undefined
  );
}

const RELATED_MAX = 64;

function withId(related: readonly AlertId[], id: AlertId): readonly AlertId[] {
  return related.includes(id) || related.length >= RELATED_MAX ? related : [...related, id];
}
