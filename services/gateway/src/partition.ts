import { createHash } from 'node:crypto';
import { partitionOf } from '@eyrie/schemas';

const known = new Map<string, number>();
const KNOWN = 10_000;

/** The partition of a name among so many: the same in every process. */
export function partitionFor(name: string, partitions: number): number {
  if (partitions === 1) return 0;
  const key = `${partitions} ${name}`;
  let partition = known.get(key);
  if (partition === undefined) {
    partition = partitionOf(createHash('sha256').update(name).digest('hex'), partitions);
    if (known.size >= KNOWN) known.clear();
    known.set(key, partition);
  }
  return partition;
}
