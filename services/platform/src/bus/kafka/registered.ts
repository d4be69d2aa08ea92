import type { TopicName } from '@eyrie/schemas';
import type { Admin } from 'kafkajs';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import type { GroupPosition } from '../bus.ts';
import { asAppError, errorType } from './errors.ts';
import type { Fetcher } from './fetcher.ts';
import type { Names } from './names.ts';

/** Coordinators that were elected just now load their groups for some seconds. */
const RETRY = { initialMs: 20, maximumMs: 500, deadlineMs: 10_000 } as const;

/**
 * Our groups on the cluster and how far they have read.
 * @throws AppError EYRIE_BUS_UNAVAILABLE when a coordinator does not answer for ten seconds
 */
export async function listRegistered(
  admin: Admin,
  names: Names,
  fetcher: Fetcher,
  clock: Clock,
): Promise<readonly GroupPosition[]> {
  return retry(clock, { ...RETRY, random: Math.random }, () => list(admin, names, fetcher));
}

async function list(admin: Admin, names: Names, fetcher: Fetcher): Promise<readonly GroupPosition[]> {
  try {
    const { groups } = await admin.listGroups();
    const ours = groups.filter(({ groupId }) => names.groupOf(groupId) !== undefined);
    const positions = await Promise.all(ours.map(({ groupId }) => positionsOf(admin, names, groupId)));
    const named = positions.flat().map((position) => ({ ...position, name: names.topic(position.topic) }));
    const ends = await fetcher.ends(named.map(({ name, partition }) => ({ topic: name, partition })));
    return named.flatMap(({ name, ...position }) => {
      const end = ends.get(`${name}/${position.partition}`);
      return end === undefined ? [] : [{ ...position, end }];
    });
  } catch (error) {
    throw asAppError(error);
  }
}

/** @throws AppError EYRIE_USAGE while somebody reads for the group */
export async function removeRegistered(admin: Admin, names: Names, group: string): Promise<void> {
  try {
    await admin.deleteGroups([names.group(group)]);
  } catch (error) {
    const [failed] = (error as { groups?: readonly { error?: unknown }[] }).groups ?? [];
    const type = errorType(failed?.error ?? error);
    if (type === 'GROUP_ID_NOT_FOUND') return;
    if (type !== 'NON_EMPTY_GROUP') throw asAppError(error);
    throw new AppError('EYRIE_USAGE', `group ${group} is in use`, { cause: error });
  }
}

async function positionsOf(admin: Admin, names: Names, groupId: string): Promise<Omit<GroupPosition, 'end'>[]> {
  const group = names.groupOf(groupId) ?? groupId;
  const committed = await admin.fetchOffsets({ groupId });
  return committed.flatMap(({ topic: name, partitions }) => {
    const topic: TopicName | undefined = names.topicOf(name);
    if (topic === undefined) return [];
    return partitions
      .filter(({ offset }) => Number(offset) >= 0)
      .map(({ partition, offset }) => ({ group, topic, partition, next: Number(offset) }));
  });
}
