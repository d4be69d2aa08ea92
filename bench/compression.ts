/**
 * What a codec costs on Kafka: frames of Falco lines appended and read back, each codec in turn. Prints one JSON line a
 * codec: CPU of this process and of the broker for each MB that went through, and what is left of a byte.
 *
 *     node bench/compression.ts [frames] [rounds]        a broker under Java, as the tests start it
 */
import '../services/cli/src/heap.ts';
import { randomBytes } from 'node:crypto';
import { Client } from '../services/platform/src/bus/kafka/client.ts';
import { openKafka } from '../services/platform/src/bus/kafka/kafka.ts';
import { COMPRESSIONS } from '../services/platform/src/bus/kafka/settings.ts';
import { createTopics } from '../services/platform/src/bus/kafka/topics.ts';
import { systemClock } from '../services/platform/src/clock.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { findBroker } from '../test/kafka/broker.ts';
import { createInput } from './input.ts';
import { cpuSeconds } from './process.ts';

const FRAMES = Number(process.argv[2] ?? 100);
const ROUNDS = Number(process.argv[3] ?? 3);
const FRAME_BYTES = 256 * 1024;
/** Appended at once, as a busy gateway does. */
const TOGETHER = 4;

interface Cost {
  readonly append: number;
  readonly read: number;
  readonly broker: number;
}

const input = createInput({ seed: 1 });
const frames = Array.from({ length: 16 }, frame);
const events = frames.reduce((sum, { lines }) => sum + lines, 0) / frames.length;
const broker = await findBroker();
if (typeof broker === 'string') throw new Error(broker);
try {
  const costs = new Map(COMPRESSIONS.map((compression) => [compression, [] as Cost[]]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [compression, found] of costs) found.push(await measure(compression, broker.brokers));
  }
  for (const [compression, found] of costs) {
    const least = (of: keyof Cost) => Math.min(...found.map((cost) => cost[of]));
    const [append, read, brokerCost] = [least('append'), least('read'), least('broker')];
    console.log(
      JSON.stringify({
        name: `compression.${compression}`,
        append_ms_a_frame: round3(append),
        read_ms_a_frame: round3(read),
        broker_ms_a_frame: round3(brokerCost),
        cpu_ms_a_mb: round3((append + read) / (FRAME_BYTES / 1e6)),
        us_an_event: round3(((append + read) * 1000) / events),
      }),
    );
  }
} finally {
  await broker.stop();
}

/** CPU milliseconds a frame. */
async function measure(compression: (typeof COMPRESSIONS)[number], brokers: readonly string[]): Promise<Cost> {
  const options = {
    brokers,
    clientId: 'bench',
    prefix: `bench-${randomBytes(4).toString('hex')}.`,
    compression,
    log: createLogger({ name: 'bench', level: 'silent' }),
    metrics: createMetrics(),
    clock: systemClock,
  };
  await createTopics({ ...options, partitions: { raw: 1, alerts: 1, actions: 1, shared: 1 }, replicationFactor: 1 });
  const bus = await openKafka(options);
  const started = cpu();
  for (let i = 0; i < FRAMES; i += TOGETHER) {
    await Promise.all(
      Array.from({ length: TOGETHER }, (_, k) =>
        bus.append([{ topic: 'raw', partition: 0, value: frames[(i + k) % frames.length]?.value ?? Buffer.alloc(0) }]),
      ),
    );
  }
  const appended = cpu();
  let next = 0;
  let bytes = 0;
  for (;;) {
    const records = await bus.read('raw', 0, next);
    const last = records.at(-1);
    if (last === undefined) break;
    next = last.offset + 1;
    for (const { value } of records) bytes += value.length;
  }
  const read = cpu();
  if (bytes < FRAMES * FRAME_BYTES) throw new Error(`${bytes} bytes came back`);
  await bus.close();
  const admin = new Client(options).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((name) => name.startsWith(options.prefix)) });
  await admin.disconnect();
  const a = (of: 'own' | 'broker', from: Cpu, to: Cpu) => ((to[of] - from[of]) * 1000) / FRAMES;
  return { append: a('own', started, appended), read: a('own', appended, read), broker: a('broker', started, read) };
}

interface Cpu {
  readonly own: number;
  readonly broker: number;
}

/** Seconds; the broker is the only child. */
function cpu(): Cpu {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  return { own, broker: cpuSeconds(process.pid) - own };
}

function frame(): { readonly value: Buffer; readonly lines: number } {
  const all: string[] = [];
  for (let bytes = 0; bytes < FRAME_BYTES; ) {
    const [line = ''] = input.lines(1);
    all.push(line);
    bytes += line.length + 1;
  }
  return { value: Buffer.from(`${all.join('\n')}\n`), lines: all.length };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
