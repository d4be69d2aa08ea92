/**
 * How long a partition that moves is without an owner's first step: its changelog read whole, and its tail alone by a
 * process that has followed it. Prints one JSON line each.
 *
 *     node bench/restore.ts [entries] [bytes]        a broker under Java, as the tests start it
 */
import '../services/cli/src/heap.ts';
import { randomBytes } from 'node:crypto';
import type { Output } from '../services/platform/src/bus/bus.ts';
import { openKafka } from '../services/platform/src/bus/kafka/kafka.ts';
import { createTopics } from '../services/platform/src/bus/kafka/topics.ts';
import { systemClock } from '../services/platform/src/clock.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { findBroker } from '../test/kafka/broker.ts';

const ENTRIES = Number(process.argv[2] ?? 1_000_000);
const BYTES = Number(process.argv[3] ?? 300);
const GROUP = { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' } as const;
const TOGETHER = 2_000;

const broker = await findBroker();
if (typeof broker === 'string') throw new Error(broker);
try {
  const options = {
    brokers: broker.brokers,
    clientId: 'bench',
    prefix: `bench-${randomBytes(4).toString('hex')}.`,
    log: createLogger({ name: 'bench', level: 'warn' }),
    clock: systemClock,
  };
  await createTopics({ ...options, partitions: { raw: 1, alerts: 1, actions: 1, shared: 1 }, replicationFactor: 1 });
  await fill(options);
  await print('restore.cold', () => takeOver(options, 0));
  await print('restore.standby', () => takeOver(options, 2 ** 31));
} finally {
  await broker.stop();
}

type Options = Omit<Parameters<typeof openKafka>[0], 'metrics'>;

async function fill(options: Options): Promise<void> {
  const bus = await openKafka({ ...options, metrics: createMetrics() });
  for (let first = 0; first < ENTRIES; first += TOGETHER) {
    const outputs = Array.from({ length: Math.min(TOGETHER, ENTRIES - first) }, (_, i): Output => {
      const value = Buffer.from(`{"n":${first + i},"text":"${randomBytes((BYTES - 30) / 2).toString('hex')}"}`);
      return { topic: 'alert-state', partition: 0, key: `windows/${first + i}/${'k'.repeat(24)}`, value };
    });
    await bus.append(outputs);
  }
  await bus.close();
}

/** Milliseconds from the assignment to the first step of the owner that follows on another. */
async function takeOver(options: Options, standbyBytes: number): Promise<number> {
  const first = await openKafka({ ...options, metrics: createMetrics() });
  const owner = first.join(
    GROUP,
    (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  );
  while (owner.partitions()?.length !== 1) await systemClock.sleep(50);
  const metrics = createMetrics();
  const second = await openKafka({ ...options, metrics, standbyBytes });
  const stepped = Promise.withResolvers<number>();
  let begun = 0;
  const follower = second.join(GROUP, async (assigned) => {
    let count = 0;
    for await (const _ of assigned.restore()) count += 1;
    if (count !== ENTRIES) throw new Error(`${count} entries came back`);
    await assigned.transact({
      positions: [],
      outputs: [{ topic: 'alerts', partition: 0, key: 'a', value: Buffer.from('{}') }],
    });
    stepped.resolve(performance.now() - begun);
  });
  while (
    standbyBytes > 0 &&
    !(await metrics.text()).includes(`eyrie_bus_standby_entries{group="judge"} ${ENTRIES}\n`)
  ) {
    await systemClock.sleep(200);
  }
  // The former owner leaves at once; what is measured starts when the group has given the partition on.
  await owner.leave();
  while (follower.partitions()?.length !== 1) await systemClock.sleep(1);
  begun = performance.now();
  const milliseconds = await stepped.promise;
  await Promise.all([first.close(), second.close()]);
  return milliseconds;
}

async function print(name: string, measure: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage();
  const milliseconds = await measure();
  const { user, system } = process.cpuUsage(before);
  console.log(
    JSON.stringify({
      name,
      entries: ENTRIES,
      bytes: BYTES,
      first_step_ms: Math.round(milliseconds),
      cpu_s: Math.round((user + system) / 1e4) / 100,
      rss_mb: Math.round(process.memoryUsage().rss / 1e6),
    }),
  );
}
