/**
 * What taking events costs the server (CPU of its own process, the sender is another), beside servers that parse and
 * forget: one event a post against a Fastify sink, NDJSON of 500 against a bare sink that parses each line.
 *
 *     node bench/intake.ts [events a round] [rounds] [kafka]
 *
 * With `kafka` the gateway on a real broker stands beside the gateway on the embedded log instead.
 */
import { fork } from 'node:child_process';
import { Pool } from 'undici';
import { type Broker, findBroker } from '../test/kafka/broker.ts';
import type { Mode } from './intake-server.ts';
import { report } from './process.ts';

const EVENTS = Number(process.argv[2] ?? 100_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const CONNECTIONS = 32;
const BATCH = 500;
const TOKEN = 'eyrie_bench-bench-bench-bench-bench-bench-bench-b';

/** Bodies made ahead, by batch size. */
const made = new Map<number, readonly string[]>();

interface Cost {
  readonly cpu: number;
  /** Of it in the kernel: sockets and syncs. */
  readonly system: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

const broker = process.argv[4] === 'kafka' ? await brokerOrEnd() : undefined;
if (broker === undefined) {
  const single = await compare('fastify-sink', 'gateway', 1, EVENTS);
  print('intake_one_event_a_post', single.own, single.base, 1.5);
  const lines = await compare('lines-sink', 'gateway', BATCH, EVENTS * 5);
  print('intake_ndjson_500', lines.own, lines.base, 3);
} else {
  const single = await compare('gateway', 'gateway-on-kafka', 1, EVENTS);
  print('intake_on_kafka_one_event_a_post', single.own, single.base, 1.3);
  const lines = await compare('gateway', 'gateway-on-kafka', BATCH, EVENTS * 5);
  print('intake_on_kafka_ndjson_500', lines.own, lines.base, 1.3);
  await broker.stop();
}

async function brokerOrEnd(): Promise<Broker> {
  const found = await findBroker();
  if (typeof found !== 'string') return found;
  throw new Error(`no Kafka broker: ${found}`);
}

function print(name: string, own: Cost, base: Cost, bar: number): void {
  report({
    name,
    value: own.rate,
    unit: 'events/s',
    cpu_s_per_million: own.cpu,
    baseline: base.cpu,
    ratio: own.cpu / base.cpu,
  });
  process.stderr.write(
    `${name}: ratio ${(own.cpu / base.cpu).toFixed(2)} (bar ${bar}; in the kernel ${own.system.toFixed(0)} against ${base.system.toFixed(0)}), answer p50 ${own.p50.toFixed(1)} ms, p99 ${own.p99.toFixed(1)} ms\n`,
  );
}

/** Rounds of both servers in turn, so that a change of the machine meets both; the median counts. */
async function compare(baseMode: Mode, ownMode: Mode, batch: number, events: number) {
  const base = await startServer(baseMode);
  const own = await startServer(ownMode);
  const costs: { base: Cost[]; own: Cost[] } = { base: [], own: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    // The first round warms up.
    const count = round === 0 ? Math.ceil(events / 2) : events;
    const pair = [await measure(base, batch, count), await measure(own, batch, count)] as const;
    if (round === 0) continue;
    costs.base.push(pair[0]);
    costs.own.push(pair[1]);
  }
  base.child.disconnect();
  own.child.disconnect();
  return { base: median(costs.base), own: median(costs.own) };
}

function median(costs: readonly Cost[]): Cost {
  const sorted = [...costs].sort((a, b) => a.cpu - b.cpu);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('no rounds');
  return middle;
}

interface Message {
  readonly address: string;
  readonly cpu: number;
  readonly system: number;
}

async function startServer(mode: Mode) {
  const brokers = broker === undefined ? [] : [broker.brokers.join(',')];
  const child = fork(new URL('./intake-server.ts', import.meta.url).pathname, [mode, ...brokers]);
  const answer = () =>
    new Promise<Message>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Message));
      child.once('exit', () => reject(new Error(`${mode} ended`)));
    });
  const { address } = await answer();
  const cpu = async () => {
    const got = answer();
    child.send('cpu');
    return await got;
  };
  return { child, address, cpu };
}

async function measure(
  server: { address: string; cpu: () => Promise<Message> },
  batch: number,
  events: number,
): Promise<Cost> {
  const pool = new Pool(server.address, { connections: CONNECTIONS, pipelining: 1 });
  const posts = Math.ceil(events / batch);
  const type = batch === 1 ? 'application/json' : 'application/x-ndjson';
  const headers = { 'content-type': type, 'x-eyrie-token': TOKEN };
  const times: number[] = [];
  let next = 0;
  const before = await server.cpu();
  const start = performance.now();
  const workers = batch === 1 ? CONNECTIONS : 4;
  await Promise.all(
    Array.from({ length: workers }, async () => {
      while (next < posts) {
        const body = bodies(batch, next);
        next += 1;
        const sent = performance.now();
        const answer = await pool.request({ method: 'POST', path: '/v1/events', headers, body });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`);
        if (!text.includes('"rejected":[]')) throw new Error(text);
        times.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const after = await server.cpu();
  const cpu = after.cpu - before.cpu;
  const system = after.system - before.system;
  await pool.close();
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  const sent = posts * batch;
  return { cpu: (cpu / sent) * 1e6, system: (system / sent) * 1e6, rate: sent / seconds, p50: at(0.5), p99: at(0.99) };
}

/** Bodies are made ahead: a thousand distinct events of 1.4 kB in the shape sensors send. */
function bodies(batch: number, index: number): string {
  const cached = made.get(batch) ?? make(batch);
  made.set(batch, cached);
  return cached[index % cached.length] ?? '';
}

function make(batch: number): readonly string[] {
  const count = batch === 1 ? 1000 : 20;
  return Array.from({ length: count }, (_, body) =>
    Array.from({ length: batch }, (_, line) => JSON.stringify(event(body * batch + line))).join('\n'),
  );
}

function event(n: number): Readonly<Record<string, unknown>> {
  const time = `2026-11-24T10:${String(n % 60).padStart(2, '0')}:00.${String(100_000_000 + n)}Z`;
  const container = (0x1000_0000_0000 + n * 7919).toString(16).slice(0, 12);
  const command = `bash -c curl -s http://10.0.${n % 250}.7:8080/healthz | grep -c ready && sleep ${n}`;
  return {
    hostname: `node-${n % 50}`,
    output: `${time}: Notice A shell was spawned in a container with an attached terminal | evt_type=execve user=root user_uid=0 user_loginuid=-1 process=bash proc_exepath=/usr/bin/bash parent=runc command=${command} terminal=34816 exe_flags=EXE_WRITABLE|EXE_LOWER_LAYER container_id=${container} container_name=web`,
    output_fields: {
      'container.id': container,
      'container.image.repository': 'registry.example.com/shop/web',
      'container.image.tag': `1.${n % 9}.3`,
      'container.name': 'web',
      'evt.arg.flags': 'EXE_WRITABLE|EXE_LOWER_LAYER',
      'evt.time.iso8601': 1_700_000_000_000_000_000,
      'evt.type': 'execve',
      'k8s.ns.name': `team-${n % 20}`,
      'k8s.pod.name': `web-${(n % 500).toString(36)}-x7x2q`,
      'proc.cmdline': command,
      'proc.exepath': '/usr/bin/bash',
      'proc.name': 'bash',
      'proc.pname': 'runc',
      'proc.tty': 34_816,
      'user.loginuid': -1,
      'user.name': 'root',
      'user.uid': 0,
    },
    priority: 'Notice',
    rule: 'Terminal shell in container',
    source: 'syscall',
    tags: ['T1059', 'container', 'maturity_stable', 'mitre_execution', 'shell'],
    time,
  };
}
