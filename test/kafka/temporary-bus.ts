import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Bus } from '@eyrie/platform/bus/bus';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { type KafkaOptions, openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import type { BusUnderTest } from '@eyrie/platform/testing/contracts/bus';
import { CRASH_GROUP } from '@eyrie/platform/testing/contracts/bus-child';
import { kafkaOptions } from './kafka-child.ts';

export const PARTITIONS = { raw: 1, alerts: 3, actions: 1, shared: 1 };

export interface TemporaryKafka extends BusUnderTest {
  readonly options: KafkaOptions;
}

/** A bus on topics of its own; `raw` is made with other settings where some are given. */
export async function temporaryKafka(
  brokers: readonly string[],
  raw?: Readonly<Record<string, string>>,
): Promise<TemporaryKafka> {
  const place = { brokers, prefix: `test-${randomBytes(4).toString('hex')}.` };
  const options = kafkaOptions(place);
  if (raw !== undefined) await createRaw(options, raw);
  await createTopics({ ...options, partitions: PARTITIONS, replicationFactor: 1 });
  let bus: Bus = await openKafka(options);
  return {
    options,
    get bus() {
      return bus;
    },
    child: { module: join(import.meta.dirname, 'kafka-child.ts'), argument: JSON.stringify(place) },
    reopen: async (meanwhile) => {
      await bus.close();
      await meanwhile?.();
      bus = await openKafka(options);
      // A killed process leaves an open step: the next owner's fence ends it.
      if (meanwhile !== undefined) await bus.join(CRASH_GROUP, async () => undefined).done;
      return bus;
    },
    remove: async () => {
      await bus.close();
      await removeTopics(options);
    },
  };
}

async function createRaw(options: KafkaOptions, settings: Readonly<Record<string, string>>): Promise<void> {
  const admin = new Client(options).admin();
  await admin.connect();
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const topic = `${options.prefix}raw`;
  await admin.createTopics({
    waitForLeaders: false,
    topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }],
  });
  await admin.disconnect();
}

async function removeTopics(options: KafkaOptions): Promise<void> {
  const admin = new Client(options).admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(options.prefix));
  await admin.deleteTopics({ topics });
  await admin.disconnect();
}
