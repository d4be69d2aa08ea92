import { randomBytes } from 'node:crypto';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { kafkaOptions } from '../test/kafka/kafka-child.ts';

/** Makes topics of their own, of so many partitions, and gives the settings of a role that works on them. */
export async function kafkaSettings(
  brokers: readonly string[],
  partitions: number,
): Promise<Readonly<Record<string, string>>> {
  const prefix = `bench-${randomBytes(4).toString('hex')}.`;
  const counts = { raw: partitions, alerts: partitions, actions: 1, shared: 1 };
  await createTopics({ ...kafkaOptions({ brokers, prefix }), partitions: counts, replicationFactor: 1 });
  return {
    EYRIE_BUS: 'kafka',
    EYRIE_KAFKA_BROKERS: brokers.join(','),
    EYRIE_TOPIC_PREFIX: prefix,
    EYRIE_SIGNING_KEY: '5a'.repeat(32),
  };
}
