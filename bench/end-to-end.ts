/**
 * NDJSON in to rows in ClickHouse, durable: CPU of all processes but the sender, rate, memory, growth of cost.
 * `node bench/end-to-end.ts [events]` (default 2,000,000).
 */
import { fork } from 'node:child_process';
import { createInput } from './input.ts';
import { cpuSeconds, machine, report, residentBytes, startEyrie, temporaryDirectory } from './process.ts';

const EVENTS = Number(process.argv[2] ?? 2_000_000);
const BATCH = 500;

if (process.send !== undefined && process.argv[3] === 'sender') await sender();
else await main();

async function main(): Promise<void> {
  const directory = temporaryDirectory('bench');
  const eyrie = await startEyrie(directory.path);
  try {
    const input = createInput({ seed: 1 });
    await post(
      `${eyrie.ready.console}/v1/workloads`,
      eyrie.ready.api_token,
      input
        .workloads()
        .map((w) => JSON.stringify(w))
        .join('\n'),
    );
    const child = fork(new URL(import.meta.url).pathname, [String(EVENTS), 'sender'], {
      env: { ...process.env, URL: eyrie.ready.gateway, TOKEN: eyrie.ready.intake_token },
    });
    const marks: { events: number; cpu: number; at: number }[] = [
      { events: 0, cpu: cpuSeconds(eyrie.pid), at: performance.now() },
    ];
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, residentBytes(eyrie.pid));
    }, 500);
    child.on('message', (events: number) => marks.push({ events, cpu: cpuSeconds(eyrie.pid), at: performance.now() }));
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`sender ended with ${code}`);
    while ((await rows(eyrie.ready)) < EVENTS) await new Promise((resolve) => setTimeout(resolve, 200));
    clearInterval(timer);
    marks.push({ events: EVENTS, cpu: cpuSeconds(eyrie.pid), at: performance.now() });
    const first = marks[0];
    const last = marks.at(-1);
    if (first === undefined || last === undefined) return;
    const perMillion = ((last.cpu - first.cpu) / EVENTS) * 1e6;
    report({
      name: 'end_to_end_rate',
      value: EVENTS / ((last.at - first.at) / 1000),
      unit: 'events/s',
      cpu_s_per_million: perMillion,
    });
    report({ name: 'end_to_end_memory', value: peak / 2 ** 30, unit: 'GiB' });
    const cost = (from: number, to: number) => {
      const a = marks.find((m) => m.events >= from) ?? first;
      const b = marks.find((m) => m.events >= to) ?? last;
      return ((b.cpu - a.cpu) / (b.events - a.events)) * 1e6;
    };
    if (EVENTS >= 2_000_000) {
      const early = cost(500_000, 1_000_000);
      const late = cost(1_500_000, 2_000_000);
      report({
        name: 'end_to_end_growth',
        value: late,
        unit: 'cpu_s_per_million',
        baseline: early,
        ratio: late / early,
      });
    }
    process.stderr.write(`${machine()}\n`);
  } finally {
    await eyrie.stop();
    directory.remove();
  }
}

async function rows(ready: { console: string; api_token: string }): Promise<number> {
  const response = await fetch(`${ready.console}/v1/events/count`, {
    headers: { authorization: `Bearer ${ready.api_token}` },
  });
  const body = (await response.json()) as { count: number };
  return Number(body.count);
}

async function post(url: string, token: string, body: string): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

/** Eight posts of 500 in flight; a distinct id an event. */
async function sender(): Promise<void> {
  const url = process.env['URL'] ?? '';
  const token = process.env['TOKEN'] ?? '';
  const input = createInput({ seed: 1 });
  let sent = 0;
  let acknowledged = 0;
  let told = 0;
  const worker = async () => {
    while (sent < EVENTS) {
      const count = Math.min(BATCH, EVENTS - sent);
      sent += count;
      await post(url, token, input.lines(count).join('\n'));
      acknowledged += count;
      if (acknowledged - told >= 100_000) {
        told = acknowledged;
        process.send?.(acknowledged);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  process.disconnect?.();
}
