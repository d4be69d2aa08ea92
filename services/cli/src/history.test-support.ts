import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import { EMBEDDED } from './config.ts';
import { writeTraceResponse } from './demo/response.ts';
import { appendFiles } from './raw-files.ts';
import { startUp } from './verbs/up.ts';

/** A rule of the tests: whom it answers, and how often. Its script leaves a trace in a file. */
export const MATCH = { rules: ['Terminal shell in container'], output_fields: ['k8s.ns.name!=nowhere'] };
export const RULE = { cooldown: '1h', limits: { rule: '5/1h' } };

/** A history that live rules made: a running pipeline, its events long judged and stored. */
export interface TestHistory {
  readonly path: string;
  readonly dataDir: string;
  readonly scriptsDir: string;
  /** A directory of its own with the live rule, but for this. */
  rules(name: string, more: Readonly<Record<string, unknown>>): string;
  /** Ends the process of the data directory; what is stored stays. */
  stop(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Six pods with two alerts each: of the second the target cools down, and the limit is reached before the last pod. In `shop`
 * three of twelve pods are heard, in `bank` all three.
 */
export async function startHistory(): Promise<TestHistory> {
  const path = mkdtempSync(join(tmpdir(), 'eyrie-history-'));
  const dataDir = join(path, 'data');
  const scriptsDir = join(path, 'live', 'scripts');
  const rules = (name: string, more: Readonly<Record<string, unknown>>) => writeRules(path, name, more);
  const before = { ...process.env };
  const rulesDir = rules('live', RULE);
  Object.assign(process.env, EMBEDDED, { EYRIE_SCRIPTS_DIR: scriptsDir, EYRIE_LOG_LEVEL: 'error' });
  const { pipeline, ready } = await startUp({ dataDir, gatewayPort: 0, consolePort: 0, rules: rulesDir });
  let isRunning = true;
  const stop = async () => {
    if (!isRunning) return;
    isRunning = false;
    rmSync(join(dataDir, 'ready.json'), { force: true });
    await pipeline.stop();
  };
  const pods = [...workload('shop', 12), ...workload('bank', 3)];
  const taken = await fetch(`${ready.console}/v1/workloads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ready.api_token}`, 'content-type': 'application/x-ndjson' },
    body: pods.map((pod) => JSON.stringify(pod)).join('\n'),
  });
  if (!taken.ok) throw new Error(await taken.text());
  // Events that come before the judge knows the pods would be another test.
  const known = async () =>
    (await pipeline.metrics.read('eyrie_state_entries')).some(
      ([{ kind }, count]) => kind === 'pods' && count === pods.length,
    );
  while (!(await known())) await pipeline.clock.sleep(20);
  const file = join(path, 'events.jsonl');
  writeFileSync(file, Array.from({ length: 12 }, (_, n) => `${shell(n)}\n`).join(''));
  await appendFiles(pipeline.bus, [file], {
    tenant: 'default' as TenantId,
    cluster: 'default' as ClusterId,
    now: pipeline.clock.now,
    onBytes: () => {},
  });
  await pipeline.finish();
  return {
    path,
    dataDir,
    scriptsDir,
    rules,
    stop,
    remove: async () => {
      await stop();
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
      Object.assign(process.env, before);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function writeRules(path: string, name: string, more: Readonly<Record<string, unknown>>): string {
  const { rules } = writeTraceResponse(join(path, name), { trace: join(path, 'trace'), match: MATCH });
  const rule = {
    rule: 'Leave a trace',
    id: 'leave-trace',
    mode: 'enforce',
    match: MATCH,
    actions: [{ action: 'trace', actionner: 'shell:script', parameters: { script: 'leave-trace' } }],
    ...more,
  };
  writeFileSync(join(rules, 'leave-trace.yaml'), JSON.stringify({ version: 1, rules: [rule] }));
  return rules;
}

function placeOf(n: number): { readonly namespace: string; readonly pod: number } {
  return n < 3 ? { namespace: 'shop', pod: n } : { namespace: 'bank', pod: n - 3 };
}

function containerOf(namespace: string, pod: number): string {
  return `${namespace === 'shop' ? 'a' : 'b'}${String(pod).padStart(11, '0')}`;
}

function workload(namespace: string, pods: number): object[] {
  return Array.from({ length: pods }, (_, pod) => ({
    v: 1,
    cluster: 'default',
    uid: `00000000-0000-4000-8000-${containerOf(namespace, pod)}`,
    namespace,
    pod: `web-${pod}`,
    node: 'node-1',
    owner: { kind: 'Deployment', name: 'web' },
    containers: [{ name: 'web', id: containerOf(namespace, pod).padEnd(64, '0'), image: 'web' }],
    observed_at: Date.now(),
  }));
}

/** A name of its own makes an alert of its own; every pod has two. */
function shell(n: number): string {
  const name = `sh${'abcdefghijkl'[n]}`;
  const { namespace, pod } = placeOf(Math.floor(n / 2));
  return JSON.stringify({
    hostname: 'node-1',
    output: `shell ${name}`,
    output_fields: {
      'container.id': containerOf(namespace, pod),
      'k8s.ns.name': namespace,
      'k8s.pod.name': `web-${pod}`,
      'proc.cmdline': `${name} -i`,
      'proc.name': name,
    },
    priority: 'Notice',
    rule: 'Terminal shell in container',
    source: 'syscall',
    tags: ['container', 'shell'],
    time: new Date(Date.now() - 60_000 + n).toISOString().replace('Z', '000000Z'),
  });
}
