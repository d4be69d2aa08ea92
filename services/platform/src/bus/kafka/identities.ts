import { randomUUID } from 'node:crypto';
import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import { AppError, isRetryable } from '../../errors.ts';
import { retry } from '../../retry.ts';
import type { Client } from './client.ts';
import { asAppError } from './errors.ts';
import type { Cluster } from './internals.ts';
import { IDENTITIES, type Names } from './names.ts';
import { readPositions } from './positions.ts';
import { Transactor } from './transactor.ts';

const FENCE_TIMEOUT_MS = 10_000;
/** A coordinator forgets the offsets of a topic some moments after the topic is gone. */
const FORGETTING_MS = 500;
/** Processes that start together fence one another; one after another they get through. */
const RETRY = { initialMs: 50, maximumMs: 1_000, deadlineMs: 60_000 };

/**
 * The random identity of every partition's history of offsets, the same for all processes and groups: it stands in
 * positions and insert tokens. It lives in the metadata of offsets that one group of its own has committed, which
 * nobody joins: Kafka removes them with the topic, so a topic made again under its name has another identity.
 * @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID
 */
export async function readIdentities(
  client: Client,
  names: Names,
  clock: Clock,
  partitions: ReadonlyMap<TopicName, number>,
): Promise<ReadonlyMap<string, string>> {
  const found = await repeat(clock, () => readOnly(client, names, clock, partitions));
  // Most roles may not write them, and need not: one that is there never changes.
  const count = [...partitions.values()].reduce((sum, one) => sum + one, 0);
  return found.size === count ? found : writeIdentities(client, names, clock, partitions);
}

/**
 * Makes those that are missing; a fence makes sure that two processes never make one each. Writing the others again keeps
 * them from expiring. @throws as above
 */
export async function writeIdentities(
  client: Client,
  names: Names,
  clock: Clock,
  partitions: ReadonlyMap<TopicName, number>,
): Promise<ReadonlyMap<string, string>> {
  return repeat(clock, () => attempt(client, names, clock, partitions));
}

/** Until it works: another process that fences this one is ready soon. */
function repeat<T>(clock: Clock, task: () => Promise<T>): Promise<T> {
  return retry(clock, { ...RETRY, random: Math.random }, async () => {
    try {
      return await task();
    } catch (error) {
      const found = asAppError(error);
      if (isRetryable(found) || !(found instanceof AppError) || found.code !== 'EYRIE_FENCED') throw found;
      throw new AppError('EYRIE_BUS_UNAVAILABLE', found.message, { retryable: true, cause: found });
    }
  });
}

async function readOnly(
  client: Client,
  names: Names,
  clock: Clock,
  partitions: ReadonlyMap<TopicName, number>,
): Promise<ReadonlyMap<string, string>> {
  const cluster = client.cluster();
  try {
    await cluster.connect();
    const found = await ask(cluster, names, partitions);
    if (!(await isAnyNew(cluster, names, found))) return found;
    await clock.sleep(FORGETTING_MS);
    return await ask(cluster, names, partitions);
  } catch (error) {
    throw asAppError(error, { principal: client.principal, group: ['Describe', names.group(IDENTITIES)] });
  } finally {
    await cluster.disconnect().catch(() => undefined);
  }
}

async function attempt(client: Client, names: Names, clock: Clock, partitions: ReadonlyMap<TopicName, number>) {
  const transactionalId = names.group(IDENTITIES);
  const transactor = await Transactor.fence({ client, names, clock, transactionalId, timeoutMs: FENCE_TIMEOUT_MS });
  const cluster = client.cluster();
  try {
    await cluster.connect();
    const identities = await ask(cluster, names, partitions);
    const positions = [...partitions].flatMap(([topic, count]) =>
      Array.from({ length: count }, (_, partition) => {
        const note = identities.get(`${topic}/${partition}`) ?? randomUUID();
        identities.set(`${topic}/${partition}`, note);
        return { topic, partition, next: 0, note };
      }),
    );
    const named = positions.map((position) => ({ ...position, topic: names.topic(position.topic) }));
    await transactor.commit(IDENTITIES, { positions: named, state: [], outputs: [], check: () => undefined });
    return identities;
  } finally {
    await Promise.all([transactor.close(), cluster.disconnect().catch(() => undefined)]);
  }
}

/** Whether a log that has an identity is empty: it may be that of a topic removed just now. */
async function isAnyNew(cluster: Cluster, names: Names, found: ReadonlyMap<string, string>): Promise<boolean> {
  const asked = new Map<string, { readonly partition: number }[]>();
  for (const place of found.keys()) {
    const [topic = '', partition] = place.split('/');
    const name = names.topic(topic as TopicName);
    asked.set(name, [...(asked.get(name) ?? []), { partition: Number(partition) }]);
  }
  await cluster.addMultipleTargetTopics([...asked.keys()]);
  const ends = await cluster.fetchTopicsOffset(
    [...asked].map(([topic, partitions]) => ({ topic, partitions, fromBeginning: false })),
  );
  return ends.some(({ partitions }) => partitions.some(({ offset }) => offset === '0'));
}

async function ask(cluster: Cluster, names: Names, partitions: ReadonlyMap<TopicName, number>) {
  const asked = [...partitions].map(([topic, count]) => ({
    topic,
    partitions: Array.from({ length: count }, (_, partition) => partition),
  }));
  const identities = new Map<string, string>();
  for (const { topic, partition, note } of await readPositions(cluster, names, names.group(IDENTITIES), asked)) {
    if (note !== undefined) identities.set(`${topic}/${partition}`, note);
  }
  return identities;
}
