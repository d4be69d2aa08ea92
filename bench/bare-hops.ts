/**
 * The hops from a post to its alert, done bare with kafkajs: append, two stages that consume and produce in one transaction
 * with their positions, a reader of committed records. `bareHops` gives the milliseconds from the answered append to the reader.
 */
import { randomBytes } from 'node:crypto';
import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';

interface Options {
  readonly brokers: readonly string[];
  /** Messages a second, and for how long. */
  readonly rate: number;
  readonly seconds: number;
  readonly bytes: number;
}

export async function bareHops({ brokers, rate, seconds, bytes }: Options): Promise<number[]> {
  const retry = { initialRetryTime: 10, maxRetryTime: 200, retries: 20 };
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'bare', logLevel: logLevel.NOTHING, retry });
  const name = `bare-${randomBytes(4).toString('hex')}`;
  const [first, second, third] = [`${name}-1`, `${name}-2`, `${name}-3`];
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [first, second, third].map((topic) => ({ topic, numPartitions: 1 })) });
  const appender = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await appender.connect();
  const stages = [await stage(kafka, first, second), await stage(kafka, second, third)];
  const reader = consumer(kafka, `${third}-reader`);
  await reader.connect();
  await reader.subscribe({ topic: third, fromBeginning: true });
  const seen = new Map<string, number>();
  await reader.run({
    eachMessage: async ({ message }) => {
      seen.set(String(message.key), performance.now());
    },
  });
  const answered = new Map<string, number>();
  const value = randomBytes(bytes);
  const running: Promise<void>[] = [];
  const started = performance.now();
  // As the gateway does: what comes within a turn goes together.
  for (let sent = 0; sent < rate * seconds; ) {
    const due = Math.min(rate * seconds, Math.floor(((performance.now() - started) / 1000) * rate));
    const keys = Array.from({ length: due - sent }, (_, index) => String(sent + index));
    sent = due;
    if (keys.length > 0) {
      const messages = keys.map((key) => ({ key, value }));
      running.push(
        appender.send({ topic: first, acks: -1, messages }).then(() => {
          for (const key of keys) answered.set(key, performance.now());
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(running);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await reader.disconnect();
  for (const { from, to } of stages) await Promise.all([from.disconnect(), to.disconnect()]);
  await appender.disconnect();
  await admin.deleteTopics({ topics: [first, second, third] });
  await admin.disconnect();
  // The groups form within the first second.
  const steady = [...answered].filter(([key]) => Number(key) > rate);
  return steady.map(([key, at]) => Math.max(0, (seen.get(key) ?? Number.POSITIVE_INFINITY) - at));
}

function consumer(kafka: Kafka, groupId: string): Consumer {
  return kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 5 });
}

async function stage(kafka: Kafka, from: string, to: string): Promise<{ from: Consumer; to: Producer }> {
  const reading = consumer(kafka, from);
  const writing = kafka.producer({ transactionalId: from, maxInFlightRequests: 1, idempotent: true });
  await writing.connect();
  await reading.connect();
  await reading.subscribe({ topic: from, fromBeginning: true });
  await reading.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async ({ batch, resolveOffset }) => {
      const last = batch.messages.at(-1);
      if (last === undefined) return;
      const transaction = await writing.transaction();
      const offset = String(Number(last.offset) + 1);
      const topics = [{ topic: from, partitions: [{ partition: 0, offset }] }];
      for (;;) {
        try {
          await transaction.sendOffsets({ consumerGroupId: from, topics });
          break;
        } catch (error) {
          if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS') throw error;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
      await transaction.send({ topic: to, messages: batch.messages.map(({ key, value }) => ({ key, value })) });
      await transaction.commit();
      resolveOffset(last.offset);
    },
  });
  return { from: reading, to: writing };
}
