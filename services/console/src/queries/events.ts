import type { Store } from '@eyrie/platform/store/store';
import type { EventId, TenantId } from '@eyrie/schemas';
import type { EventFilter } from '@eyrie/schemas/api';
import type { EventRow } from '../core/event-row.ts';
import { FORMAT, Where } from './where.ts';

export type EventSelection = Omit<EventFilter, 'limit' | 'cursor' | 'raw'>;

/** Judged events after a key, newest first. `raw` is most of the bytes, so it comes on request only. */
export async function selectEvents(
  store: Store,
  tenant: TenantId,
  selection: EventSelection,
  after: { readonly time: string; readonly id: string } | undefined,
  { limit, raw }: { readonly limit: number; readonly raw: boolean },
): Promise<readonly EventRow[]> {
  const { from, to, received_from, ...equal } = selection;
  const where = new Where(tenant);
  for (const [column, value] of Object.entries(equal)) where.equals(column, value);
  where.between('time', from, to).since('received_at', received_from).after('time', 'event_id', after);
  return store.query<EventRow>(
    `SELECT ${raw ? '*' : '* EXCEPT (raw)'} FROM eyrie.events WHERE ${where} ` +
      `ORDER BY time DESC, event_id DESC LIMIT {limit:UInt32} ${FORMAT}`,
    { ...where.params, limit },
  );
}

/** One event, with its raw line. */
export async function selectEvent(store: Store, tenant: TenantId, id: EventId): Promise<EventRow | undefined> {
  return first(store, new Where(tenant).equals('event_id', id));
}

/** The event made of a raw line. */
export async function selectEventAt(
  store: Store,
  tenant: TenantId,
  position: { readonly partition: number; readonly offset: number; readonly index: number },
): Promise<EventRow | undefined> {
  const condition =
    'raw_partition = {partition:UInt32} AND raw_offset = {offset:UInt64} AND raw_index = {index:UInt32}';
  return first(store, new Where(tenant).add(condition, position));
}

async function first(store: Store, where: Where): Promise<EventRow | undefined> {
  const [row] = await store.query<EventRow>(
    `SELECT * FROM eyrie.events WHERE ${where} LIMIT 1 ${FORMAT}`,
    where.params,
  );
  return row;
}
