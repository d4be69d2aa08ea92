/**
 * What it costs to take single events from a topic of another program, as falcosidekick writes them (one a record, no keys)
 * and to have them in frames of `raw`. The baseline, in the same run: the same lines written to `raw` in frames, as posts
 * are, plus 1.3 times a bare consumer of the same records. What follows (`prepare`, `judge`) reads equal frames.
 *
 *     node bench/topic-input.ts [events] [rounds]        EYRIE_TEST_KAFKA=host:port, or Docker, or Java and Maven
 */
import '../services/cli/src/heap.ts';
import { randomBytes } from 'node:crypto';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import { createAppender } from '../services/gateway/src/appender.ts';
import { createGateway } from '../services/gateway/src/main.ts';
import type { Bus } from '../services/platform/src/bus/bus.ts';
import { Client } from '../services/platform/src/bus/kafka/client.ts';
import { Kafka, logLevel } from '../services/platform/src/bus/kafka/internals.ts';
import { type KafkaOptions, openKafka } from '../services/platform/src/bus/kafka/kafka.ts';
import { createTopics } from '../services/platform/src/bus/kafka/topics.ts';
import { systemClock } from '../services/platform/src/clock.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { findBroker } from '../test/kafka/broker.ts';
import { createInput } from './input.ts';
import { median, report } from './process.ts';

const EVENTS = Number(process.argv[2] ?? 200_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const PARTITIONS = 4;
const BATCH = 400;
const BARE = 1.3;
/** Different lines among those posted. */
const POSTED = 20_000;
/** Lines of one post: about a frame. */
const POST_LINES = 180;

const broker = await findBroker();
if (typeof broker === 'string') throw new Error(`no Kafka broker: ${broker}`);
const name = `bench-${randomBytes(4).toString('hex')}`;
const topic = `falco-${name}`;
const log = createLogger({ name: 'bench', level: 'warn' });

try {
  await produce();
  const bare: number[] = [];
  const framed: number[] = [];
  const own: number[] = [];
  // Both in each round, so that a noisy neighbour hits them alike; the first round warms.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const consumed = await consume(round);
    const appended = await frame(round);
    const { cpu, frames } = await take(round);
    if (round === 0) continue;
    bare.push(consumed);
    framed.push(appended);
    own.push(cpu);
    console.error(
      `round ${round}: ${[cpu, appended, consumed].map((one) => one.toFixed(2)).join(', ')} µs, ${frames} frames`,
    );
  }
  const unit = 'us/event';
  report({ name: 'topic_input_bare_consumer', value: median(bare), unit });
  report({ name: 'topic_input_frames_appended', value: median(framed), unit });
  const value = median(own);
  const baseline = median(framed) + BARE * median(bare);
  report({
    name: 'topic_input_single_events',
    value,
    unit,
    cpu_s_per_million: value,
    baseline,
    ratio: value / baseline,
  });
} finally {
  await broker.stop();
}

async function produce(): Promise<void> {
  const client = new Client(options(0));
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] });
  await admin.disconnect();
  const producer = client.producer();
  await producer.connect();
  const input = createInput({ seed: 1 });
  for (let sent = 0; sent < EVENTS; sent += BATCH) {
    const messages = input
      .lines(Math.min(BATCH, EVENTS - sent))
      .map((line, i) => ({ key: null, value: Buffer.from(line), partition: (sent / BATCH + i) % PARTITIONS }));
    await producer.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
  }
  await producer.disconnect();
}

/** A consumer that counts. @returns CPU microseconds a record */
async function consume(round: number): Promise<number> {
  const kafka = new Kafka({ brokers: [...options(round).brokers], clientId: name, logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `${name}-${round}` });
  const start = process.cpuUsage();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let bytes = 0;
  let count = 0;
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) bytes += value?.length ?? 0;
        count += batch.messages.length;
        if (count >= EVENTS) resolve();
      },
    });
  });
  const cpu = cpuSince(start);
  await consumer.disconnect();
  if (count !== EVENTS || bytes < EVENTS * 1_000) throw new Error(`the consumer saw ${count} records`);
  return cpu;
}

/** The same lines in frames, as the gateway writes posts. @returns CPU microseconds an event */
async function frame(round: number): Promise<number> {
  const bus = await openRaw(options(round, 'framed'));
  const appender = createAppender(
    bus,
    () => undefined,
    () => undefined,
  );
  const input = createInput({ seed: 1 });
  const lines = input.lines(Math.min(EVENTS, POSTED)).map((line) => Buffer.from(`${line}\n`));
  const owner = { tenant: 'bench' as TenantId, cluster: 'bench' as ClusterId };
  const start = process.cpuUsage();
  for (let sent = 0; sent < EVENTS; sent += POST_LINES) {
    const from = sent % (lines.length - POST_LINES);
    const post = lines.slice(from, from + Math.min(POST_LINES, EVENTS - sent));
    const meta = { ...owner, received_at: Date.now(), origin: 'http' as const, lines: post.length };
    await appender.append([{ meta, block: Buffer.concat(post) }]);
  }
  const cpu = cpuSince(start);
  await bus.close();
  return cpu;
}

async function openRaw(own: KafkaOptions): Promise<Bus> {
  await createTopics({ ...own, partitions: { raw: 1, alerts: 1, actions: 1, shared: 1 }, replicationFactor: 1 });
  return openKafka(own);
}

/** The stage itself, until every record is a committed line of `raw`. */
async function take(round: number): Promise<{ cpu: number; frames: number }> {
  const own = options(round);
  const bus = await openRaw(own);
  const gateway = createGateway(
    { bus, clock: systemClock, log, metrics: own.metrics, authenticate: () => undefined },
    { port: 0, inputs: [{ topic, tenant: 'bench', cluster: 'bench', format: 'auto', start: 'earliest' }] },
  );
  const start = process.cpuUsage();
  await gateway.start();
  while ((await stored(own)) < EVENTS) await systemClock.sleep(20);
  const cpu = cpuSince(start);
  await gateway.stop();
  let frames = 0;
  for (let at = 0; ; ) {
    const records = await bus.read('raw', 0, at, { maxBytes: 8 * 1024 * 1024 });
    if (records.length === 0) break;
    frames += records.length;
    at = (records.at(-1)?.offset ?? at) + 1;
  }
  await bus.close();
  return { cpu, frames };
}

async function stored({ metrics }: KafkaOptions): Promise<number> {
  return (await metrics.read('eyrie_input_records_total')).reduce((sum, [, count]) => sum + count, 0);
}

function options(round: number, what = 'taken'): KafkaOptions {
  if (typeof broker === 'string') throw new TypeError(broker);
  const { brokers } = broker;
  const prefix = `${name}.${what}.${round}.`;
  return { brokers, clientId: name, prefix, log, metrics: createMetrics(), clock: systemClock };
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / EVENTS;
}
