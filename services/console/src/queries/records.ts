import type { Store } from '@eyrie/platform/store/store';
import type { TenantId } from '@eyrie/schemas';
import type { DeadLetterRow } from '../core/present.ts';
import { FORMAT, Where } from './where.ts';

export type HealthRow = Readonly<Record<string, unknown>> & { readonly key: string; readonly time: string };

interface After {
  readonly time: string;
  readonly id: string;
}

/** Records set aside, after a key, newest first; `nobodys`: those of no tenant too. */
export async function selectDeadLetters(
  store: Store,
  tenant: TenantId,
  selection: { readonly reason?: string; readonly cluster?: string; readonly nobodys?: boolean },
  after: After | undefined,
  limit: number,
): Promise<readonly DeadLetterRow[]> {
  const where = (selection.nobodys === true ? new Where(tenant).orNobodys() : new Where(tenant))
    .equals('reason', selection.reason)
    .equals('cluster', selection.cluster)
    .after('at', 'key', after);
  return store.query<DeadLetterRow>(
    `SELECT * FROM eyrie.dead_letters WHERE ${where} ORDER BY at DESC, key DESC LIMIT {limit:UInt32} ${FORMAT}`,
    { ...where.params, limit },
  );
}

/** What was set aside of a raw line. */
export async function selectDeadLettersAt(
  store: Store,
  tenant: TenantId,
  position: { readonly partition: number; readonly offset: number; readonly index: number },
): Promise<readonly DeadLetterRow[]> {
  const condition =
    'raw_partition = {partition:UInt32} AND raw_offset = {offset:UInt64} AND raw_index = {index:UInt32}';
  const where = new Where(tenant).add(condition, position);
  return store.query<DeadLetterRow>(`SELECT * FROM eyrie.dead_letters WHERE ${where} LIMIT 10 ${FORMAT}`, where.params);
}

/** What sensors and Eyrie said of themselves, after a key, newest first. */
export async function selectHealth(
  store: Store,
  tenant: TenantId,
  selection: { readonly kind?: string; readonly cluster?: string },
  after: After | undefined,
  limit: number,
): Promise<readonly HealthRow[]> {
  const where = new Where(tenant)
    .equals('kind', selection.kind)
    .equals('cluster', selection.cluster)
    .after('time', 'key', after);
  return store.query<HealthRow>(
    `SELECT * FROM eyrie.health WHERE ${where} ORDER BY time DESC, key DESC LIMIT {limit:UInt32} ${FORMAT}`,
    { ...where.params, limit },
  );
}
