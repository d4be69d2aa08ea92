import type { Bus } from '@eyrie/platform/bus/bus';
import type { TenantId } from '@eyrie/schemas';
import type { JudgeCount } from './core/reconcile.ts';

/** What the judge counted for a tenant, from its committed state. */
export async function readJudgeCounts(bus: Bus, tenant: TenantId): Promise<readonly JudgeCount[]> {
  const prefix = `count/${tenant}/`;
  const counts: JudgeCount[] = [];
  for (let partition = 0; partition < bus.partitions('alert-state'); partition += 1) {
    for (const [key, value] of await bus.readState('alert-state', partition, prefix)) {
      const row = JSON.parse(value.toString('utf8')) as Omit<JudgeCount, 'partition' | 'month'>;
      counts.push({ ...row, partition, month: key.slice(prefix.length) });
    }
  }
  return counts;
}
