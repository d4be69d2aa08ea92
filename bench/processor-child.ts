/**
 * The processor alone on a backlog of frames: prints what it cost, as JSON, and ends. The settings of bus and place come from the
 * environment, as those of any role; `node bench/processor-child.ts DIR EVENTS TENANTS`.
 */
import '../services/cli/src/heap.ts';
import { encodeRawFrame, type RawMeta } from '@eyrie/schemas';
import { readConfig } from '../services/cli/src/config.ts';
import { startPipeline } from '../services/cli/src/pipeline.ts';
import { createInput } from './input.ts';

const [dataDir = '', events = '0', tenants = '1'] = process.argv.slice(2);
const EVENTS = Number(events);
const TENANTS = Number(tenants);
/** About what fills a frame. */
const LINES = 180;
const APPEND_FRAMES = 8;
const LOOK_MS = 100;

const config = readConfig({ EYRIE_LOG_LEVEL: 'error', ...process.env });
await fill();

const pipeline = await startPipeline({ dataDir, config, roles: new Set(['processor']) });
const cpu = process.cpuUsage();
const started = performance.now();
let judged = 0;
// By what was judged: asking the log for positions would cost what is measured.
while (judged < EVENTS) {
  await pipeline.clock.sleep(LOOK_MS);
  judged = (await pipeline.metrics.read('eyrie_outcomes_total')).reduce((sum, [, value]) => sum + value, 0);
}
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - started) / 1_000;
if (judged !== EVENTS) throw new Error(`${judged} outcomes of ${EVENTS} events`);
console.log(JSON.stringify({ cpu_s_per_million: (user + system) / EVENTS, events_per_second: EVENTS / seconds }));
await pipeline.stop();
process.exit(0);

/** Frames of one tenant each, on all raw partitions in turn. */
async function fill(): Promise<void> {
  const { bus, clock, stop } = await startPipeline({ dataDir, config, roles: new Set() });
  const input = createInput({ seed: 1 });
  const workloads = input.workloads('bench').map((pod) => ({ ...pod, tenant: 'tenant-0' }));
  await bus.append(
    workloads.map((pod) => ({
      topic: 'workloads',
      partition: 0,
      key: `${pod.tenant}/${pod.cluster}/${pod.uid}`,
      value: Buffer.from(JSON.stringify(pod)),
    })),
  );
  const outputs = [];
  for (let at = 0; at < EVENTS; at += LINES) {
    const lines = input.lines(Math.min(LINES, EVENTS - at));
    const number = at / LINES;
    const meta = {
      tenant: `tenant-${number % TENANTS}`,
      cluster: 'bench',
      received_at: clock.now(),
      origin: 'http',
      lines: lines.length,
    } as RawMeta;
    const value = encodeRawFrame([{ meta, block: Buffer.from(`${lines.join('\n')}\n`) }]);
    outputs.push({ topic: 'raw', partition: number % bus.partitions('raw'), value } as const);
    if (outputs.length === APPEND_FRAMES) await bus.append(outputs.splice(0));
  }
  if (outputs.length > 0) await bus.append(outputs);
  await stop();
}
