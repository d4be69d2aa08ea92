import {
  type ClusterId,
  type DeadLetter,
  type Event,
  type FalcoEvent,
  type HealthRecord,
  LIMITS,
  type LineReading,
  msOfNanos,
  type Nanos,
  nanosOfMs,
  type Outcome,
  type RawMeta,
  type RawPosition,
  readLine,
} from '@eyrie/schemas';
import { deadLetterOf } from './dead-letter.ts';
import { emptyDraft } from './draft.ts';
import { heartbeatEvent } from './heartbeat.ts';
import { observe } from './identity.ts';
import { labelsOf } from './labels.ts';
import { habitOf, type Memos } from './memo.ts';
import { route } from './route.ts';
import { sensorWord } from './sensor.ts';
import type { Source } from './source.ts';

/** A line with what the gateway knew of it. `index` counts within its section, `position` names it in the log. */
export interface PlacedLine {
  readonly line: Buffer;
  readonly meta: RawMeta;
  readonly index: number;
  readonly position: RawPosition;
  /** What the gateway read of it, where that is at hand: `readLine` of the line says the same. */
  readonly reading?: LineReading | undefined;
}

export interface PrepareTools {
  /** Asked in order; the last one takes every event. */
  readonly sources: readonly Source[];
  readonly memos: Memos;
}

export type Prepared =
  | { readonly kind: 'event'; readonly event: Event }
  | {
      readonly kind: 'end';
      readonly outcome: Outcome;
      readonly health?: HealthRecord;
      readonly deadLetter?: DeadLetter;
    };

/** Makes of one raw line either an event for the judge or an ending. Pure: the same line gives the same again. */
export function prepareLine(placed: PlacedLine, tools: PrepareTools): Prepared {
  const { line, meta, index } = placed;
  if (meta.origin === 'heartbeat') return { kind: 'event', event: heartbeatEvent(meta, placed.position) };
  if (meta.oversize?.some((entry) => entry.index === index) === true) {
    return refused(placed, 'line_too_long', 'the line is over the bound of one event');
  }
  const reading = placed.reading ?? readLine(line, meta);
  if (!reading.ok) {
    return reading.outcome === 'rejected'
      ? refused(placed, reading.code, reading.message)
      : { kind: 'end', outcome: { outcome: 'filtered', reason: reading.code } };
  }
  const { falco, cluster } = reading;
  const word = sensorWord(falco);
  if (word !== undefined) {
    const { outcome, ...said } = word;
    return { kind: 'end', outcome, health: { ...healthOf(placed, falco, cluster), ...said } };
  }
  return { kind: 'event', event: toEvent(placed, falco, cluster, reading.claimed_cluster, tools) };
}

function refused(
  placed: PlacedLine,
  reason: Extract<Outcome, { outcome: 'rejected' }>['reason'],
  message: string,
): Prepared {
  return {
    kind: 'end',
    outcome: { outcome: 'rejected', reason },
    deadLetter: deadLetterOf(placed, reason, message),
  };
}

function healthOf({ meta, position }: PlacedLine, falco: FalcoEvent, cluster: ClusterId) {
  return {
    v: 1,
    tenant: meta.tenant,
    cluster,
    ...(falco.hostname !== undefined && { node: falco.hostname }),
    time: isAhead(falco.time, meta.received_at) ? nanosOfMs(meta.received_at) : falco.time,
    received_at: meta.received_at,
    raw_pos: position,
  } as const;
}

function toEvent(
  { meta, position }: PlacedLine,
  falco: FalcoEvent,
  cluster: ClusterId,
  claimed: string | undefined,
  { sources, memos }: PrepareTools,
): Event {
  const fields = falco.output_fields;
  const source = sources.find((candidate) => candidate.claims(falco.source, fields));
  if (source === undefined) throw new RangeError('the last source must take every event');
  const place = { tenant: meta.tenant, cluster, source: source.name ?? falco.source ?? 'unknown', rule: falco.rule };
  const draft = emptyDraft();
  const habit = habitOf(place.rule, place.source, memos);
  const { event_id, missing } = observe(place, falco, source, habit, memos);
  draft.event_id = event_id;
  draft.tenant = place.tenant;
  draft.cluster = cluster;
  draft.source = place.source;
  draft.rule = falco.rule;
  draft.priority = falco.priority;
  draft.received_at = meta.received_at;
  draft.raw_pos = position;
  draft.host = falco.hostname;
  draft.claimed_cluster = claimed;
  draft.missing = missing;
  draft.over_quota = meta.over_quota;
  if (isAhead(falco.time, meta.received_at)) {
    draft.time = nanosOfMs(meta.received_at);
    draft.clamped = true;
  } else draft.time = falco.time;
  const labels = labelsOf(falco.tags, habit);
  draft.tags = labels.tags;
  draft.tactics = labels.tactics;
  draft.techniques = labels.techniques;
  draft.maturity = labels.maturity;
  source.normalise(fields, draft);
  const { salient, routing_key } = route(place, source.salient(draft, fields), habit, memos);
  draft.salient = salient;
  draft.routing_key = routing_key;
  // Undefined and absent mean the same to every reader of an event, and JSON leaves both out.
  return draft as Event;
}

function isAhead(time: Nanos, receivedAt: number): boolean {
  return msOfNanos(time) > receivedAt + LIMITS.clockAheadMs;
}
