import { createHash } from 'node:crypto';
import type { ActionClass } from './action.ts';
import { partitionOf } from './ids.ts';

/** Actions from this class on change something in a cluster. */
export const REVERSIBLE = 2;

/** The key of a request, and of the ledger lines of its plan. What breaks things is decided in one place for the whole tenant. */
export function requestKey(highest: ActionClass, tenant: string, alertId: string): string {
  return highest >= REVERSIBLE ? tenant : alertId;
}

/** The partition of an action request by its key: where the ledger lines of its plan are too. */
export function requestPartition(key: string, partitions: number): number {
  const hash = createHash('sha256')
    .update(JSON.stringify([key]))
    .digest('hex');
  return partitionOf(hash.slice(0, 8), partitions);
}
