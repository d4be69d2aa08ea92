import { LIMITS, TOPIC_NAMES, TOPICS, type TopicName, type TopicSpec } from '@eyrie/schemas';
import type { PartitionCounts } from '../layout.ts';
import type { Names } from './names.ts';

/** A frame with one event of the greatest size, judged, is at most this often as large as the event. */
const TIMES_AN_EVENT = 4;
const LEAST_MESSAGE_BYTES = 2 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** Bytes of a record or batch our topics take, for events of up to `eventBytes`. */
export function maxMessageBytes(eventBytes: number = LIMITS.eventBytes): number {
  return Math.max(LEAST_MESSAGE_BYTES, TIMES_AN_EVENT * eventBytes);
}

export interface TopicChoices {
  readonly partitions: PartitionCounts;
  readonly replicationFactor: number;
  /** Without it one less than the replicas: one broker may be down, and what is acknowledged lies on two. */
  readonly minInsyncReplicas?: number;
  readonly eventBytes?: number;
}

export interface PlannedTopic {
  readonly topic: TopicName;
  /** Kafka's. */
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** As Kafka names them. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Every topic as it should be made. */
export function planTopics(names: Names, choices: TopicChoices): readonly PlannedTopic[] {
  const { partitions, replicationFactor, minInsyncReplicas, eventBytes } = choices;
  return TOPIC_NAMES.map((topic) => {
    const kind = TOPICS[topic].partitions;
    return {
      topic,
      name: names.topic(topic),
      partitions: kind === 'one' ? 1 : partitions[kind],
      replicationFactor,
      settings: {
        'cleanup.policy': cleanupOf(topic),
        'max.message.bytes': String(maxMessageBytes(eventBytes)),
        'min.insync.replicas': String(minInsyncReplicas ?? leastInSync(replicationFactor)),
        'unclean.leader.election.enable': 'false',
        ...retentionOf(topic),
      },
    };
  });
}

export function leastInSync(replicationFactor: number): number {
  return Math.max(1, replicationFactor - 1);
}

export function cleanupOf(topic: TopicName): 'delete' | 'compact' {
  return TOPICS[topic].cleanup === 'delete' ? 'delete' : 'compact';
}

/** Milliseconds; undefined for a topic that keeps the last record of each key. */
export function retentionMs(topic: TopicName): number | undefined {
  const { retentionDays }: TopicSpec = TOPICS[topic];
  return retentionDays === undefined ? undefined : retentionDays * DAY_MS;
}

function retentionOf(topic: TopicName): Record<string, string> {
  const ms = retentionMs(topic);
  return ms === undefined ? {} : { 'retention.ms': String(ms) };
}
