import type { Bus, BusRecord, GroupPosition } from './bus.ts';

/** The first record a group has not read; undefined when none is left, though offsets may lie ahead that hold none. */
export async function firstUnread(
  bus: Pick<Bus, 'read'>,
  { topic, partition, next, end }: Omit<GroupPosition, 'group'>,
): Promise<BusRecord | undefined> {
  if (next >= end) return undefined;
  const [first] = await bus.read(topic, partition, next, { maxBytes: 1 });
  return first;
}
