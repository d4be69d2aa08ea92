import type { Bus } from '@eyrie/platform/bus/bus';
import { firstUnread } from '@eyrie/platform/bus/first-unread';
import { compareCounts, type Reconciliation } from '@eyrie/platform/reconciliation/compare';
import { readJudgeCounts } from '@eyrie/platform/reconciliation/judge-counts';
import { readStoredCounts } from '@eyrie/platform/reconciliation/stored-counts';
import type { Store } from '@eyrie/platform/store/store';
import { GROUPS } from './groups.ts';

/**
 * Compares what the judge counted with what SQL counts. The judge writes counts and alerts in one step: where the topic
 * of alerts did not grow meanwhile and is archived to its end, both sides speak of the same alerts.
 */
export async function reconcile(bus: Bus, store: Store): Promise<Reconciliation> {
  const before = await alertsEnd(bus);
  const wasArchived = await isArchived(bus, before);
  const stored = await readStoredCounts(store);
  const judge = await readJudgeCounts(bus);
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
  const archived = ends.map(async (end, partition) => {
    const next = positions.find((position) => position.partition === partition)?.next;
    if (next === undefined) return end === 0;
    return (await firstUnread(bus, { topic: 'alerts', partition, next, end })) === undefined;
  });
  return (await Promise.all(archived)).every(Boolean);
}
