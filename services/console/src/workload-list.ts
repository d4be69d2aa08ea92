import type { Bus } from '@eyrie/platform/bus/bus';
import type { TenantId, WorkloadSnapshot } from '@eyrie/schemas';

const READ_BYTES = 1024 * 1024;

/**
 * The tenant's workloads as the topic holds them, by key. Read anew each time: the list is asked for rarely, and a second
 * copy of every pod in memory would cost more than the reading.
 */
export async function listWorkloads(
  bus: Bus,
  tenant: TenantId,
  { accept }: { readonly accept: (workload: WorkloadSnapshot) => boolean },
): Promise<{ key: string; workload: WorkloadSnapshot }[]> {
  const latest = new Map<string, WorkloadSnapshot>();
  const prefix = `${tenant}/`;
  for (let partition = 0; partition < bus.partitions('workloads'); partition += 1) {
    const { start, end } = await bus.bounds('workloads', partition);
    for (let next = start; next < end; ) {
      const records = await bus.read('workloads', partition, next, { maxBytes: READ_BYTES });
      for (const { offset, key = '', value } of records) {
        next = offset + 1;
        if (!key.startsWith(prefix)) continue;
        if (value.length === 0) {
          latest.delete(key);
          continue;
        }
        const workload = JSON.parse(value.toString('utf8')) as WorkloadSnapshot;
        if ((latest.get(key)?.observed_at ?? 0) <= workload.observed_at) latest.set(key, workload);
      }
      if (records.length === 0) break;
    }
  }
  return [...latest]
    .map(([key, workload]) => ({ key, workload }))
    .filter(({ workload }) => workload.deleted_at === undefined && accept(workload))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
