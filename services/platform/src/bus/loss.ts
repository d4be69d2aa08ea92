import { type ClusterId, type HealthRecord, nanosOfMs, type TenantId } from '@eyrie/schemas';
import type { Output } from './bus.ts';

/** Loss concerns the whole log, not one tenant: it is recorded under this name. */
export const LOG_TENANT = 'eyrie' as TenantId;

/** The health record of a group whose next record was already removed. */
export function lossRecord(
  loss: {
    readonly group: string;
    /** Ours, or as the cluster names it. */
    readonly topic: string;
    readonly partition: number;
    readonly next: number;
    readonly start: number;
  },
  partitions: number,
  now: number,
): Output {
  const record: HealthRecord = {
    v: 1,
    tenant: LOG_TENANT,
    cluster: 'eyrie' as ClusterId,
    kind: 'loss',
    time: nanosOfMs(now),
    received_at: now,
    // A log that ends before the position lost what was there; how much, nobody knows.
    count: Math.max(0, loss.start - loss.next),
    fields: {
      group: loss.group,
      topic: loss.topic,
      partition: String(loss.partition),
      from: String(loss.next),
      to: String(loss.start),
    },
  };
  return {
    topic: 'health',
    partition: loss.partition % partitions,
    key: `loss/${loss.group}/${loss.topic}/${loss.partition}/${loss.next}`,
    value: Buffer.from(JSON.stringify(record)),
  };
}
