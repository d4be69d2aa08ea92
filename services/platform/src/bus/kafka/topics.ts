import { TOPIC_NAMES, TOPICS, type TopicName, type TopicSpec } from '@eyrie/schemas';
import type { Admin } from 'kafkajs';
import { systemClock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { Client, type ClientOptions } from './client.ts';
import { asAppError, errorType } from './errors.ts';
import { Names } from './names.ts';
import { type PlannedTopic, planTopics, type TopicChoices } from './topic-plan.ts';

/** Names in a message. */
const SHOWN = 5;
const CREATING_MS = 25_000;
const LATE = new Set(['REQUEST_TIMED_OUT', 'KafkaJSRequestTimeoutError']);
/** A topic made is known to all brokers some moments later. */
const SPREADING = { initialMs: 20, maximumMs: 500, deadlineMs: 30_000 };

/**
 * Makes the topics of the plan that are missing; those that exist stay as they are.
 * @returns those made
 * @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID
 */
export async function createTopics(
  options: ClientOptions & TopicChoices & { readonly prefix: string },
): Promise<readonly PlannedTopic[]> {
  const names = new Names(options.prefix);
  const client = new Client(options);
  const admin = client.admin();
  try {
    await admin.connect();
    const present = new Set(await admin.listTopics());
    const missing = planTopics(names, options).filter(({ name }) => !present.has(name));
    await create(admin, missing);
    await retry(systemClock, { ...SPREADING, random: Math.random }, () => leaders(admin, names));
    return missing;
  } catch (error) {
    throw asAppError(error, { principal: client.principal, topic: ['Create', `${options.prefix}*`] });
  } finally {
    await admin.disconnect();
  }
}

/** A busy cluster may make them and answer too late: whether they are there is asked afterwards. */
async function create(admin: Admin, missing: readonly PlannedTopic[]): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: false,
      timeout: CREATING_MS,
      topics: missing.map(({ name, partitions, replicationFactor, settings }) => ({
        topic: name,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })),
    });
  } catch (error) {
    if (!LATE.has(errorType(error))) throw error;
  }
}

/** @throws AppError EYRIE_BUS_UNAVAILABLE while some broker has not heard of a topic, or a partition has no leader */
async function leaders(admin: Admin, names: Names): Promise<void> {
  try {
    await admin.fetchTopicMetadata({ topics: TOPIC_NAMES.map((name) => names.topic(name)) });
  } catch (error) {
    throw asAppError(error);
  }
}

/**
 * How many partitions each topic has.
 * @throws AppError EYRIE_CONFIG_INVALID where topics are missing, or topics of one kind differ
 */
export async function readPartitions(
  admin: Admin,
  names: Names,
  principal: string,
): Promise<ReadonlyMap<TopicName, number>> {
  const present = new Set(await admin.listTopics());
  const missing = TOPIC_NAMES.map((name) => names.topic(name)).filter((name) => !present.has(name));
  if (missing.length > 0) {
    const more = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : '';
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `topics are missing: ${missing.slice(0, SHOWN).join(', ')}${more}. \`eyrie topics create\` makes them; ` +
        `if they are there, ${principal} lacks the ACL Describe on them`,
    );
  }
  const { topics } = await admin.fetchTopicMetadata({ topics: TOPIC_NAMES.map((name) => names.topic(name)) });
  const found = new Map<TopicName, number>();
  const kinds = new Map<TopicSpec['partitions'], number>([['one', 1]]);
  for (const { name, partitions } of topics) {
    const topic = names.topicOf(name);
    if (topic === undefined) continue;
    const kind = TOPICS[topic].partitions;
    const wanted = kinds.get(kind) ?? partitions.length;
    if (partitions.length !== wanted) {
      throw new AppError(
        'EYRIE_CONFIG_INVALID',
        `topic ${name} has ${partitions.length} partitions, not ${wanted} as the others of its kind. \`eyrie topics check\` says what mends it`,
      );
    }
    kinds.set(kind, wanted);
    found.set(topic, partitions.length);
  }
  return found;
}
