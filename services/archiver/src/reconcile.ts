import type { Bus } from '@eyrie/platform/bus/bus';
import type { Store } from '@eyrie/platform/store/store';
import { compareCounts, type JudgeCount, type Reconciliation, type StoredCount } from './core/compare.ts';
import { GROUPS } from './groups.ts';

const PREFIX = 'count/';

/**
 * Compares what the judge counted with what SQL counts. The judge writes counts and alerts in one step: where the topic
 * of alerts did not grow meanwhile and is archived to its end, both sides speak of the same alerts.
 */
export async function reconcile(bus: Bus, store: Store): Promise<Reconciliation> {
  const before = await alertsEnd(bus);
  const wasArchived = await isArchived(bus, before);
  const stored = await readStored(store);
  const judge = await readJudge(bus);
  const after = await alertsEnd(bus);
  return compareCounts(judge, stored, wasArchived && before.join() === after.join());
}

async function alertsEnd(bus: Bus): Promise<readonly number[]> {
  const ends: number[] = [];
  for (let partition = 0; partition < bus.partitions('alerts'); partition += 1) {
    ends.push((await bus.bounds('alerts', partition)).end);
  }
  return ends;
}

async function isArchived(bus: Bus, ends: readonly number[]): Promise<boolean> {
  const positions = (await bus.groups()).filter(
    ({ group, topic }) => group === GROUPS.alerts.group && topic === 'alerts',
  );
  return ends.every((end, partition) => {
    const next = positions.find((position) => position.partition === partition)?.next;
    return next === undefined ? end === 0 : next >= end;
  });
}

async function readStored(store: Store): Promise<readonly StoredCount[]> {
  const rows = await store.query<Record<keyof StoredCount, string>>(
    `SELECT tenant, partition, formatDateTime(opened_at, '%Y-%m', 'UTC') AS month, count() AS opened,
       countIf(disposition != 'suppressed') AS shown, countIf(disposition = 'suppressed') AS suppressed,
       max(opening_seq) AS last_seq
     FROM eyrie.alerts GROUP BY tenant, partition, month`,
  );
  return rows.map(({ tenant, month, ...numbers }) => ({
    tenant,
    month,
    partition: Number(numbers.partition),
    opened: Number(numbers.opened),
    shown: Number(numbers.shown),
    suppressed: Number(numbers.suppressed),
    last_seq: Number(numbers.last_seq),
  }));
}

async function readJudge(bus: Bus): Promise<readonly JudgeCount[]> {
  const counts: JudgeCount[] = [];
  for (let partition = 0; partition < bus.partitions('alert-state'); partition += 1) {
    for (const [key, value] of await bus.readState('alert-state', partition, PREFIX)) {
      const [, tenant = '', month = ''] = key.split('/');
      const { opened, shown, suppressed } = JSON.parse(value.toString('utf8')) as JudgeCount;
      counts.push({ tenant, month, partition, opened, shown, suppressed });
    }
  }
  return counts;
}
