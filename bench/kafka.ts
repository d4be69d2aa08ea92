/**
 * What the processor costs on Kafka, a backlog of frames before it, against the same on the embedded log in the same run: by
 * partitions and by tenants. CPU of the processor's process; the broker is not counted. `node bench/kafka.ts [events] [rounds]`
 * (default 200,000 and 3); needs a broker (test/kafka/broker.ts says how one is found).
 */
import { execFileSync } from 'node:child_process';
import { findBroker } from '../test/kafka/broker.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { machine, median, report, temporaryDirectory } from './process.ts';

const EVENTS = Number(process.argv[2] ?? 200_000);
const ROUNDS = Number(process.argv[3] ?? 3);
const CHILD = new URL('./processor-child.ts', import.meta.url).pathname;
/** More tenants make more fingerprints: each number of them has its own figure of the embedded log beside it. */
const TENANTS = [1, 1_000];
const SHAPES = [
  { partitions: 1, tenants: 1 },
  { partitions: 8, tenants: 1 },
  { partitions: 64, tenants: 1 },
  { partitions: 8, tenants: 1_000 },
];

const broker = await findBroker();
if (typeof broker === 'string') {
  console.error(`no Kafka broker: ${broker}`);
  process.exit(1);
}
try {
  const embedded = new Map(TENANTS.map((tenants): [number, number[]] => [tenants, []]));
  const onKafka = SHAPES.map((): number[] => []);
  // One after the other in each round: what else the machine does meets all of them.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [tenants, costs] of embedded) costs.push(cost(tenants, { EYRIE_BUS: 'embedded' }));
    for (const [index, { partitions, tenants }] of SHAPES.entries()) {
      onKafka[index]?.push(cost(tenants, await kafkaSettings(broker.brokers, partitions)));
    }
  }
  for (const [index, { partitions, tenants }] of SHAPES.entries()) {
    const value = median(onKafka[index] ?? []);
    const baseline = median(embedded.get(tenants) ?? []);
    report({
      name: `processor_on_kafka_${partitions}_partitions_${tenants}_tenants`,
      value,
      unit: 'cpu_s_per_million',
      cpu_s_per_million: value,
      baseline,
      ratio: value / baseline,
    });
  }
  process.stderr.write(`${machine()}\n`);
} finally {
  await broker.stop();
}

/** CPU seconds a million events. */
function cost(tenants: number, env: Readonly<Record<string, string>>): number {
  const directory = temporaryDirectory('bench');
  try {
    const text = execFileSync(process.execPath, [CHILD, directory.path, String(EVENTS), String(tenants)], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const result = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { cpu_s_per_million: number };
    process.stderr.write(`${JSON.stringify({ ...env, tenants, ...result })}\n`);
    return result.cpu_s_per_million;
  } finally {
    directory.remove();
  }
}
