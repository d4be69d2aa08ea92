/**
 * Cost of the store alone: judged frames in, rows of `eyrie.events` out, encoding and the engine's process included; and
 * what of it this process takes. First embedded, rows through a file; then over HTTP through the adapter of a server,
 * against the TEST FRONT over the same engine: what this process takes there is what it would take with a server, the
 * rest is the fixture's (it writes the body to a file again) and says nothing about one.
 *
 *     node bench/archiver.ts [rows] [rows a batch …]
 *
 * Baseline: JSON.parse of the raw lines of the same events, as ready strings, warm, median of five.
 */
import { hash } from 'node:crypto';
import { EVENT_COLUMNS, FrameWriter, nanosOfMs } from '@eyrie/schemas';
import { Batch } from '../services/archiver/src/core/batch.ts';
import { takeRecord } from '../services/archiver/src/core/take.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { openChdb } from '../services/platform/src/store/chdb.ts';
import { openClickhouse } from '../services/platform/src/store/server.ts';
import type { Store } from '../services/platform/src/store/store.ts';
import { startFront } from '../services/platform/src/testing/clickhouse/front.ts';
import { createInput } from './input.ts';
import { cpuSeconds, processTree, report, residentMemory, temporaryDirectory } from './process.ts';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const BATCHES = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [10_000, 25_000];
const POOL = 20_000;
const A_FRAME = 100;

const log = createLogger({ name: 'bench', level: 'error' });
const lines = createInput({ seed: 1 }).lines(POOL);
const now = Date.now();
const frames = makeFrames();
const baseline = parseCost();
for (const rows of BATCHES) {
  await measure(rows, 'embedded', openEmbedded);
  await measure(rows, 'HTTP to the test front', openFront);
}

interface Opened {
  readonly store: Store;
  /** Of the engine's process. */
  readonly pid: () => number;
  close(): Promise<void>;
}

async function openEmbedded(): Promise<Opened> {
  const directory = temporaryDirectory('bench-archiver');
  const store = await openChdb({ dataDir: directory.path, log, metrics: createMetrics() });
  return {
    store,
    pid: () => store.pid() ?? 0,
    close: async () => {
      await store.close();
      directory.remove();
    },
  };
}

async function openFront(): Promise<Opened> {
  const front = await startFront();
  const { user, password } = front;
  const store = await openClickhouse({ url: front.url(), user, password, log, metrics: createMetrics() });
  return {
    store,
    pid: () => processTree(process.pid)[1] ?? 0,
    close: async () => {
      await store.close();
      await front.stop();
    },
  };
}

/** Frames as the judge writes them, fields of the size and variety of real ones. */
function makeFrames(): readonly Buffer[] {
  const made: Buffer[] = [];
  const writer = new FrameWriter('judged');
  for (const [index, line] of lines.entries()) {
    const raw = JSON.parse(line) as Record<string, unknown>;
    const fields = (raw['output_fields'] ?? {}) as Record<string, unknown>;
    const id = (text: string) => hash('sha256', text).slice(0, 32);
    const event = {
      v: 1,
      event_id: id(`event ${index}`),
      tenant: 'default',
      cluster: `c${index % 3}`,
      source: 'syscall',
      rule: raw['rule'],
      priority: raw['priority'],
      time: nanosOfMs(now + index),
      received_at: now,
      routing_key: id(`key ${index % 10_000}`),
      salient: `${fields['proc.name']}\u001f${fields['fd.name'] ?? ''}`,
      raw_pos: { log: id('log'), partition: 0, offset: index, index: index % A_FRAME },
      host: raw['hostname'] ?? 'node-1',
      tags: raw['tags'],
      tactics: ['execution'],
      techniques: ['T1059'],
      event_type: fields['evt.type'],
      process_name: fields['proc.name'],
      process_executable: fields['proc.exepath'],
      command_line: fields['proc.cmdline'],
      parent_name: fields['proc.pname'],
      user_name: fields['user.name'],
      user_id: 0,
      container_id: fields['container.id'],
      image: fields['container.image.repository'],
    };
    const judgement = {
      v: 1,
      outcome: 'folded',
      reason: 'repeat',
      alert_id: event.routing_key,
      alert_version: 3,
      fingerprint: event.routing_key,
      identity: {
        namespace: 'shop',
        workload_kind: 'Deployment',
        workload: `w${index % 1_000}`,
        pod: `w-${index % 1_000}`,
      },
      fp_score: 0.3 + index / 1e6,
      documents_version: 5,
      model: 'prior-1',
      judged_at: now,
    };
    writer.add(JSON.stringify(judgement), JSON.stringify(event), line);
    if (writer.entries === A_FRAME) made.push(writer.finish());
  }
  return made;
}

function parseCost(): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (const line of lines) JSON.parse(line);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / lines.length;
  });
  return runs.slice(1).sort((a, b) => a - b)[2] ?? Number.NaN;
}

async function measure(batchRows: number, way: string, open: () => Promise<Opened>): Promise<void> {
  const { store, pid, close } = await open();
  await store.migrate();
  const batches = [new Batch(), new Batch()];
  let running: Promise<void> = Promise.resolve();
  let peak = 0;
  let rows = 0;
  let started = performance.now();
  let before = cpuSeconds(process.pid);
  let ownBefore = process.cpuUsage();
  let warm = 0;
  for (let turn = 0; rows < ROWS + warm; turn += 1) {
    if (warm === 0 && rows >= Math.min(100_000, ROWS)) {
      await running;
      warm = rows;
      started = performance.now();
      before = cpuSeconds(process.pid);
      ownBefore = process.cpuUsage();
    }
    const batch = batches[turn % 2] ?? new Batch();
    for (let taken = 0; taken < batchRows; taken += A_FRAME) {
      const offset = (rows + taken) / A_FRAME;
      const value = frames[offset % frames.length] ?? Buffer.alloc(0);
      const record = { topic: 'judged', partition: 0, offset, value, logIdentity: 'bench' } as const;
      batch.add(record, () => takeRecord(batch, record), now);
    }
    rows += batchRows;
    await running;
    const [insert] = batch.inserts();
    if (insert === undefined) throw new Error('an empty batch');
    running = store.insert({ ...insert, columns: EVENT_COLUMNS, token: `bench ${turn}` }).finally(() => batch.reset());
    peak = Math.max(peak, residentMemory(pid()).resident);
  }
  await running;
  const seconds = (performance.now() - started) / 1_000;
  const measured = rows - warm;
  const cpu = ((cpuSeconds(process.pid) - before) / measured) * 1e6;
  const { user, system } = process.cpuUsage(ownBefore);
  const own = (user + system) / measured;
  const name = `archiver, ${way}, batches of ${batchRows}`;
  const cost = { cpu_s_per_million: cpu, baseline, ratio: cpu / baseline };
  report({ name, value: measured / seconds, unit: 'rows/s', ...cost });
  report({ name: `${name}, this process alone`, value: own, unit: 'CPU s/M' });
  report({ name: `${name}, memory of the engine`, value: peak / 1e6, unit: 'MB' });
  await close();
}
