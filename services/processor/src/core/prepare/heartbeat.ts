import { createHash } from 'node:crypto';
import { type Event, type EventId, nanosOfMs, type RawMeta, type RawPosition, type RoutingKey } from '@eyrie/schemas';
import { emptyDraft } from './draft.ts';

/**
 * The event of a heartbeat: it goes the way of every other one, and is known by where the gateway says it comes from, so
 * no sensor can forge it. Its key follows from its position: every partition gets some.
 */
export function heartbeatEvent({ tenant, received_at }: RawMeta, position: RawPosition): Event {
  const id = createHash('sha256').update(JSON.stringify(position)).digest('hex');
  const draft = emptyDraft();
  draft.event_id = id.slice(0, 32) as EventId;
  draft.tenant = tenant;
  draft.cluster = 'eyrie' as Event['cluster'];
  draft.source = 'eyrie';
  draft.rule = 'Eyrie heartbeat';
  draft.priority = 'Debug';
  draft.time = nanosOfMs(received_at);
  draft.received_at = received_at;
  draft.routing_key = id as RoutingKey;
  draft.salient = '';
  draft.raw_pos = position;
  draft.heartbeat = true;
  return draft as Event;
}
