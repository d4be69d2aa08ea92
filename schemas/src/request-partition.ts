import { createHash } from 'node:crypto';
import { partitionOf } from './ids.ts';

/** The partition of an action request by its key: where the ledger lines of its plan are too. */
export function requestPartition(key: string, partitions: number): number {
  const hash = createHash('sha256')
    .update(JSON.stringify([key]))
    .digest('hex');
  return partitionOf(hash.slice(0, 8), partitions);
}
