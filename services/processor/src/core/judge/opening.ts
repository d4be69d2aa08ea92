import {
  type Alert,
  type Event,
  FORMATS,
  type Judgement,
  type Nanos,
  nanosOfMs,
  priorityRank,
  type Score,
} from '@eyrie/schemas';
import { byAge, type Draft, type Draw } from './draft.ts';
import { matches } from './matching.ts';
import { addMs } from './moments.ts';
import { alertIdOf, type Placed } from './placing.ts';
import { type AlertRecord, dispositionOf, type Hidden } from './record.ts';
import { isOpen } from './state.ts';
import { isTold } from './storm.ts';
import { firstTarget, interactiveUser, targetKey } from './targets.ts';

type Ending = Pick<Judgement, 'outcome' | 'reason'>;

/** Opens an alert for an event no window takes (rules 1, 5, 8, 9). */
export function open(
  draft: Draft,
  event: Event,
  placed: Placed,
  fingerprint: Alert['fingerprint'],
  score: Score,
  others: readonly Draw[],
): { readonly draw: Draw; readonly ending: Ending } {
  const { options, state, documents } = draft;
  const end = addMs(event.time, options.windowMs);
  const { watermark } = state.clock;
  const isLate = watermark !== '' && watermark >= addMs(end, options.graceMs);
  const held = others.find(({ record }) => isOpen(record.alert));
  // One open alert a fingerprint: the later anchor is the open one, the other is closed and takes what is late for it.
  const isBornClosed = isLate || (held !== undefined && held.record.alert.opened_at > event.time);
  if (held !== undefined && !isBornClosed) close(draft, held);

  const { hidden, brokeThrough } = hiding(draft, event, placed, fingerprint, score);
  const disposed = dispositionOf(hidden, score);
  const notify = disposed.disposition === 'suppressed' || isTold(draft, event, score);
  const user = interactiveUser(event);
  const key = targetKey(event, placed.identity);
  const { words } = state;
  const alert: Alert = {
    v: 1,
    tenant: words.of(event.tenant),
    cluster: words.of(event.cluster),
    alert_id: alertIdOf(event.tenant, event),
    version: 0,
    change: 'opened',
    state: isBornClosed ? 'closed' : 'open',
    source: words.of(event.source),
    rule: words.of(event.rule),
    priority: words.of(event.priority),
    tags: words.list(event.tags),
    tactics: words.list(event.tactics),
    techniques: words.list(event.techniques),
    fingerprint,
    fingerprint_version: FORMATS.fingerprint,
    routing_key: event.routing_key,
    opening_event_id: event.event_id,
    count: 1,
    opened_at: event.time,
    first_seen: event.time,
    last_seen: event.time,
    targets: [firstTarget(key, event, placed.identity)],
    targets_more: 0,
    ...(event.host !== undefined && { host: words.of(event.host) }),
    identity: placed.identity,
    ...(event.process_name !== undefined && { process_name: event.process_name }),
    ...(event.command_line !== undefined && { command_line: event.command_line }),
    ...(event.file_name !== undefined && { file_name: event.file_name }),
    score,
    ...disposed,
    triage: { status: 'new' },
    notify,
    ...(isLate && { late: true as const }),
    samples: [sampleOf(event, key)],
    related: endedBefore(others),
    partition: state.partition,
    opening_seq: draft.countOpening(event.tenant, { opened_at: event.time, ...disposed }),
    documents_version: documents.version,
    updated_at: draft.now,
  };
  const record: AlertRecord = {
    alert,
    from: addMs(event.time, -options.windowMs),
    end,
    lastIntake: event.received_at,
    writtenCount: 0,
    isEnded: false,
    ...(!placed.isFinal &&
      placed.entity !== undefined && {
        waiting: { entity: placed.entity, isOwn: placed.isOwn, subject: subjectOf(event) },
      }),
    breakThroughs: 0,
    users: user === undefined ? [] : [user],
    hidden,
  };
  const draw = draft.add(record, false);
  draft.publish(draw, record, 'opened');
  return { draw, ending: endingOf(alert, isLate, brokeThrough, others.length > 0) };
}

/** Closes an open alert. */
export function close(draft: Draft, draw: Draw): void {
  draft.publish(draw, { ...draw.record, alert: { ...draw.record.alert, state: 'closed' } }, 'closed');
}

/** First millisecond at which the watermark may close it. */
export function closesAt(record: AlertRecord, graceMs: number): Nanos {
  return addMs(record.end, graceMs);
}

/** The watermark follows the clock from where it stood, once nothing came for the grace period. */
export function idleWatermark(from: { watermark: Nanos | ''; intake: number }, idleMs: number): Nanos {
  return addMs(from.watermark === '' ? nanosOfMs(from.intake) : from.watermark, idleMs);
}

export function sampleOf(event: Event, target: string): Alert['samples'][number] {
  const { command_line } = event;
  return { event_id: event.event_id, time: event.time, target, ...(command_line !== undefined && { command_line }) };
}

/** Silences that hold now and match, by id. */
export function silencesOf(draft: Draft, event: Event, placed: Placed): readonly string[] {
  const list = draft.documents.silences.get(event.tenant);
  if (list === undefined) return [];
  return list
    .filter(({ starts_at, ends_at }) => starts_at <= draft.now && draft.now < ends_at)
    .filter(({ matchers }) => matches(matchers, event, placed.identity))
    .map(({ id }) => id);
}

function hiding(draft: Draft, event: Event, placed: Placed, fingerprint: Alert['fingerprint'], score: Score) {
  const dismissal = draft.dismissal(fingerprint);
  const rises = dismissal !== undefined && priorityRank(event.priority) > dismissal.rank;
  const hasFloor = score.floor !== undefined;
  const exception = hasFloor
    ? undefined
    : draft.documents.exceptions
        .get(event.tenant)
        ?.find(({ expires_at, matchers }) => draft.now < expires_at && matches(matchers, event, placed.identity));
  const silences = silencesOf(draft, event, placed);
  const hidden: Hidden = {
    ...(dismissal !== undefined && !rises && !hasFloor && { dismissed: dismissal.rank }),
    ...(exception !== undefined && { exception: exception.id }),
    ...(silences.length > 0 && { silences }),
  };
  const brokeThrough = dismissal === undefined ? undefined : hasFloor ? 'floor' : rises ? 'priority' : undefined;
  return { hidden, brokeThrough } as const;
}

/** Alerts of the fingerprint that a person resolved: the latest four. */
function endedBefore(others: readonly Draw[]): Alert['alert_id'][] {
  return others
    .filter(({ record }) => record.isEnded)
    .sort(byAge)
    .slice(-4)
    .map(({ record }) => record.alert.alert_id);
}

function endingOf(
  alert: Alert,
  isLate: boolean,
  brokeThrough: 'floor' | 'priority' | undefined,
  hasOthers: boolean,
): Ending {
  if (alert.disposition_reason === 'silenced') return { outcome: 'silenced', reason: 'silence' };
  if (alert.disposition_reason !== undefined) return { outcome: 'suppressed', reason: alert.disposition_reason };
  if (isLate) return { outcome: 'late', reason: 'after_window' };
  if (brokeThrough !== undefined) return { outcome: 'opened', reason: `breakthrough_${brokeThrough}` };
  return { outcome: 'opened', reason: hasOthers ? 'window_closed' : 'new_fingerprint' };
}

function subjectOf(event: Event) {
  const { tenant, cluster, time, host, container_id, container, image, namespace, pod, pod_uid } = event;
  return {
    tenant,
    cluster,
    time,
    ...(host !== undefined && { host }),
    ...(container_id !== undefined && { container_id }),
    ...(container !== undefined && { container }),
    ...(image !== undefined && { image }),
    ...(namespace !== undefined && { namespace }),
    ...(pod !== undefined && { pod }),
    ...(pod_uid !== undefined && { pod_uid }),
  };
}
