import type { TenantId } from '@eyrie/schemas';
import type { Bus } from '../bus/bus.ts';
import type { JudgeCount } from './compare.ts';

/** What the judge counted in its committed state, of one tenant or of all. */
export async function readJudgeCounts(bus: Bus, tenant?: TenantId): Promise<readonly JudgeCount[]> {
  const counts: JudgeCount[] = [];
  for (let partition = 0; partition < bus.partitions('alert-state'); partition += 1) {
    const prefix = tenant === undefined ? 'count/' : `count/${tenant}/`;
    for (const [key, value] of await bus.readState('alert-state', partition, prefix)) {
      const [, owner = '', month = ''] = key.split('/');
      const { opened, shown, suppressed } = JSON.parse(value.toString('utf8')) as JudgeCount;
      counts.push({ tenant: owner, month, partition, opened, shown, suppressed });
    }
  }
  return counts;
}
