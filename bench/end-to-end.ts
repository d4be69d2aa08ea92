/**
 * NDJSON in to rows in ClickHouse, durable: CPU of all processes but the sender, rate, memory, growth of cost; then how
 * long a start on the directory takes. `node bench/end-to-end.ts [events] [workloads]` (default 2,000,000 and 1,000:
 * 12,000 open windows; 8,400 workloads have 100,000).
 */
import { fork } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { selectOverSocket } from '../services/platform/src/store/sql-client.ts';
import { createInput } from './input.ts';
import { cpuSeconds, machine, report, residentMemory, startEyrie, temporaryDirectory } from './process.ts';

const EVENTS = Number(process.argv[2] ?? 2_000_000);
const WORKLOADS = Number(process.argv[3] ?? 1_000);
const BATCH = 500;

if (process.send !== undefined && process.argv[4] === 'sender') await sender();
else await main();

async function main(): Promise<void> {
  const directory = temporaryDirectory('bench');
  const inputs = temporaryDirectory('bench-input');
  const bodies = join(inputs.path, 'bodies');
  writeBodies(bodies);
  const eyrie = await startEyrie(directory.path);
  try {
    const input = createInput({ seed: 1, workloads: WORKLOADS });
    await post(
      `${eyrie.ready.console}/v1/workloads`,
      eyrie.ready.api_token,
      input
        .workloads()
        .map((w) => JSON.stringify(w))
        .join('\n'),
    );
    const child = fork(new URL(import.meta.url).pathname, [String(EVENTS), String(WORKLOADS), 'sender'], {
      env: { ...process.env, URL: eyrie.ready.gateway, TOKEN: eyrie.ready.intake_token, FILE: bodies },
    });
    const marks: { events: number; cpu: number; at: number }[] = [
      { events: 0, cpu: cpuSeconds(eyrie.pid), at: performance.now() },
    ];
    let peak = residentMemory(eyrie.pid);
    const timer = setInterval(() => {
      const memory = residentMemory(eyrie.pid);
      if (memory.resident > peak.resident) peak = memory;
    }, 500);
    let ended: number | null | undefined;
    child.once('exit', (code) => {
      ended = code;
    });
    // By rows, not by what was sent: the gateway may be far ahead of what has been judged and stored.
    for (let events = 0; events < EVENTS; ) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (ended !== undefined && ended !== 0) throw new Error(`sender ended with ${ended}`);
      events = await rows(directory.path);
      marks.push({ events, cpu: cpuSeconds(eyrie.pid), at: performance.now() });
    }
    clearInterval(timer);
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
    report({ name: 'end_to_end_memory', value: peak.resident / 2 ** 30, unit: 'GiB' });
    report({ name: 'end_to_end_memory_anonymous', value: peak.anonymous / 2 ** 30, unit: 'GiB' });
    report({ name: 'end_to_end_memory_mapped_files', value: peak.mapped / 2 ** 30, unit: 'GiB' });
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
    await eyrie.stop();
    const again = await startEyrie(directory.path);
    report({ name: 'start_to_ready', value: again.startMs, unit: 'ms' });
    await again.stop();
    process.stderr.write(`${machine()}\n`);
  } finally {
    await eyrie.stop();
    directory.remove();
    inputs.remove();
  }
}

async function rows(dataDir: string): Promise<number> {
  const { rows } = await selectOverSocket(dataDir, 'SELECT count() FROM events', { timeoutMs: 60_000 });
  return Number(rows[0]?.[0]);
}

async function post(url: string, token: string, body: string | Buffer<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

/** Eight posts of 500 in flight, read from a file made before. */
async function sender(): Promise<void> {
  const url = process.env['URL'] ?? '';
  const token = process.env['TOKEN'] ?? '';
  const file = openSync(process.env['FILE'] ?? '', 'r');
  const sizes = JSON.parse(readFileSync(`${process.env['FILE']}.sizes`, 'utf8')) as number[];
  let next = 0;
  let at = 0;
  const worker = async () => {
    for (let size = sizes[next]; size !== undefined; size = sizes[next]) {
      next += 1;
      const body = Buffer.allocUnsafe(size);
      readSync(file, body, 0, size, at);
      at += size;
      await post(url, token, body);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  process.disconnect?.();
}

/** All bodies in one file, so that making them takes no CPU from what is measured. */
function writeBodies(file: string): void {
  const input = createInput({ seed: 1, workloads: WORKLOADS });
  const out = openSync(file, 'w');
  const sizes: number[] = [];
  for (let events = 0; events < EVENTS; events += BATCH) {
    const body = Buffer.from(input.lines(BATCH).join('\n'));
    writeSync(out, body);
    sizes.push(body.length);
  }
  closeSync(out);
  writeFileSync(`${file}.sizes`, JSON.stringify(sizes));
}
