import type { TopicName } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import type { GroupSpec } from './bus.ts';

/**
 * How many partition numbers a group has: its inputs and its state have as many each, because one owner takes the same
 * number of all. @throws AppError EYRIE_CONFIG_INVALID
 */
export function groupPartitions(spec: GroupSpec, partitions: (topic: TopicName) => number): number {
  const topics = spec.state === undefined ? spec.inputs : [...spec.inputs, spec.state];
  const [count, ...others] = new Set(topics.map(partitions));
  if (count !== undefined && others.length === 0) return count;
  throw new AppError('EYRIE_CONFIG_INVALID', `group ${spec.group} reads topics of unequal partition counts`);
}
