import { createHash } from 'node:crypto';
import type { Bus, Output } from '@eyrie/platform/bus/bus';
import type { ForeignAssigned, UnreadableRecords } from '@eyrie/platform/bus/foreign';
import { type ClusterId, type DeadLetter, type HealthRecord, LIMITS, nanosOfMs, type TenantId } from '@eyrie/schemas';
import type { InputEntry } from '@eyrie/schemas/inputs';

const STAGE = 'inputs';
export const UNREADABLE = { stage: STAGE, reason: 'unreadable' } as const;
const MESSAGE_CHARS = 500;

/** What becomes of records nobody can read: set aside with their place, and counted as blind time. */
export function unreadableOutputs(
  bus: Bus,
  { topic, partition }: Pick<ForeignAssigned, 'topic' | 'partition'>,
  { tenant, cluster }: InputEntry,
  { first, last, message, bytes }: UnreadableRecords,
  now: number,
): readonly Output[] {
  const owner = { tenant: tenant as TenantId, cluster: cluster as ClusterId };
  const position = { log: `topic/${topic}`, partition, offset: first, index: 0 };
  const key = `${position.log}/${partition}/${first}/0`;
  const letter: DeadLetter = {
    v: 1,
    tenant: owner.tenant,
    ...(cluster !== '*' && { cluster: owner.cluster }),
    ...UNREADABLE,
    message: message.slice(0, MESSAGE_CHARS),
    at: now,
    topic,
    raw_pos: position,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    head: bytes.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
  const health: HealthRecord = {
    v: 1,
    tenant: owner.tenant,
    cluster: cluster === '*' ? ('unknown' as ClusterId) : owner.cluster,
    kind: 'refused',
    time: nanosOfMs(now),
    received_at: now,
    count: last - first + 1,
    code: UNREADABLE.reason,
    fields: { topic, partition: String(partition), from: String(first), to: String(last) },
  };
  const to = (name: 'dead-letter' | 'health', record: object): Output => ({
    topic: name,
    partition: partition % bus.partitions(name),
    key,
    value: Buffer.from(JSON.stringify(record)),
  });
  return [to('dead-letter', letter), to('health', health)];
}
