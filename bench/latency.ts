/**
 * At 1,000 events a second, one a post: from the answer of a post to the alert at a client of /v1/stream, and to the row
 * in SQL. Ten of the events a second open an alert of their own. `node bench/latency.ts [seconds] [kafka|roles]` (default 20);
 * with `kafka` everything in one process on a real broker, beside the same hops done bare in the same run; with `roles` each
 * role between post and alert in a process of its own.
 */
import { Pool } from 'undici';
import { selectOverSocket } from '../services/platform/src/store/sql-client.ts';
import { findBroker } from '../test/kafka/broker.ts';
import { bareHops } from './bare-hops.ts';
import { createInput } from './input.ts';
import { kafkaSettings } from './kafka-settings.ts';
import { machine, report, startEyrie, temporaryDirectory } from './process.ts';
import { startRoles } from './roles.ts';

const SECONDS = Number(process.argv[2] ?? 20);
const RATE = 1000;
const MARKERS = 10;

const MODE = process.argv[3];
if (MODE !== undefined && MODE !== 'kafka' && MODE !== 'roles') throw new Error(`no mode ${MODE}: kafka or roles`);
const broker = MODE === undefined ? undefined : await findBroker();
if (typeof broker === 'string') throw new Error(`no Kafka broker: ${broker}`);
const directory = temporaryDirectory('latency');
const env = broker === undefined ? {} : await kafkaSettings(broker.brokers, 1);
const eyrie = MODE === 'roles' ? await startRoles(directory.path, env) : await startEyrie(directory.path, { env });
const whole = 'startMs' in eyrie ? eyrie : undefined;
try {
  const pool = new Pool(eyrie.ready.gateway, { connections: 32, pipelining: 1 });
  const post = async (body: string) => {
    const answer = await pool.request({
      method: 'POST',
      path: '/',
      headers: { authorization: `Bearer ${eyrie.ready.intake_token}`, 'content-type': 'application/json' },
      body,
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
    return performance.now();
  };
  const seen = new Map<string, number>();
  const stop = new AbortController();
  const following = follow(seen, stop.signal).catch(() => {});
  const input = createInput({ seed: 3, workloads: 50, start: Date.now(), spacing: 1e6 });
  for (let i = 0; i < 200; i += 1) await post(input.lines(1)[0] ?? '');

  const answered: number[] = [];
  const marked = new Map<string, number>();
  const rowLags: number[] = [];
  let rows = 0;
  const base = 200;
  const polling = (async () => {
    while (whole !== undefined && !stop.signal.aborted) {
      const result = await selectOverSocket(directory.path, 'SELECT count() FROM events').catch(() => undefined);
      const now = performance.now();
      const count = Number(result?.rows[0]?.[0] ?? 0) - base;
      for (; rows < count && rows < answered.length; rows += 1) rowLags.push(now - (answered[rows] ?? now));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();

  const started = performance.now();
  const running: Promise<void>[] = [];
  for (let sent = 0; sent < RATE * SECONDS; ) {
    const due = Math.min(RATE * SECONDS, Math.floor(((performance.now() - started) / 1000) * RATE));
    for (; sent < due; sent += 1) {
      const marker = sent % (RATE / MARKERS) === 0 ? `Bench marker ${sent}` : undefined;
      const line = input.lines(1)[0] ?? '';
      const body = marker === undefined ? line : line.replace(/"rule":"[^"]*"/, `"rule":"${marker}"`);
      running.push(
        post(body).then((at) => {
          answered.push(at);
          if (marker !== undefined) marked.set(marker, at);
        }),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(running);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  stop.abort();
  await Promise.all([following, polling]);
  const stream = [...marked].map(([rule, at]) => Math.max(0, (seen.get(rule) ?? Number.POSITIVE_INFINITY) - at));
  await eyrie.stop();
  const bare = broker && (await bareHops({ brokers: broker.brokers, rate: RATE, seconds: SECONDS, bytes: 1_400 }));
  for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99 })) {
    const value = quantile(stream, share);
    const beside = bare && { baseline: quantile(bare, share), ratio: value / quantile(bare, share) };
    report({ name: `stream_latency_${name}`, value, unit: 'ms', ...beside });
  }
  if (whole !== undefined) {
    report({ name: 'row_latency_p99', value: quantile(rowLags, 0.99), unit: 'ms' });
    report({ name: 'start_to_ready_empty', value: whole.startMs, unit: 'ms' });
  }
  process.stderr.write(`${machine()}\n`);
  await pool.close();
} finally {
  await eyrie.stop();
  await broker?.stop();
  directory.remove();
}

async function follow(seen: Map<string, number>, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${eyrie.ready.console}/v1/stream`, {
    headers: { authorization: `Bearer ${eyrie.ready.api_token}` },
    signal,
  });
  let held = '';
  for await (const chunk of response.body ?? []) {
    const now = performance.now();
    held += Buffer.from(chunk).toString();
    for (const match of held.matchAll(/"rule":"(Bench marker \d+)"/g)) {
      const rule = match[1] ?? '';
      if (!seen.has(rule)) seen.set(rule, now);
    }
    held = held.slice(held.lastIndexOf('\n\n') + 1);
  }
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
