import { createHash } from 'node:crypto';
import type { Call } from '../core/owner/decision.ts';

/**
 * What an alert is about, across alerts: the same rule at the same workload, or at the same target where none is known. Trackers
 * that fold occurrences fold by it. 32 hex digits.
 */
export function subjectKey({ plan }: Call): string {
  const fields = plan.todo?.context.fields ?? {};
  const name = (field: string) => String(fields[field] ?? '');
  const workload = name('workload');
  const place = workload === '' ? plan.target : [name('namespace'), name('workload_kind'), workload].join('/');
  const parts = [plan.tenant, plan.cluster, plan.rule_id, plan.todo?.context.rule ?? '', place];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
