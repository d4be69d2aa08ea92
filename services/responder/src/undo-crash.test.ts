import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { judgedOutput } from './testing/judged.ts';
import { FAKE_TOKEN, type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { aPod, changes } from './testing/pods.ts';

const PODS = 4;
const AFTER_MS = 1_000;
const CHILD = join(import.meta.dirname, 'testing/crash-child.ts');

let api: FakeKubernetes;
let place: TestPlace;
let temporary: TemporaryLog;

const containerOf = (i: number) => i.toString(16).padStart(12, 'c');
const pathOf = (i: number) => `/api/v1/namespaces/shop/pods/web-${i}`;
const labelsOf = (i: number) => api.objects.get(pathOf(i))?.metadata['labels'];

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(() => api.close());
beforeEach(() => {
  place = testPlace();
  temporary = temporaryLog();
  place.connections(`clusters:\n  - {cluster: lab, server: "${api.server}", ca_file: ca.pem, token_file: token}\n`, {
    'ca.pem': api.ca,
    token: FAKE_TOKEN,
  });
  place.rule('cut.yaml', RULES);
  api.reset();
  for (let i = 0; i < PODS; i += 1) {
    const pod = aPod({ metadata: { name: `web-${i}`, uid: `uid-${i}` } });
    const status = { containerStatuses: [{ name: 'web', containerID: `containerd://${containerOf(i)}` }] };
    api.objects.set(pathOf(i), { ...pod, status });
  }
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const RULES = `
version: 1
rules:
  - rule: Mark and cut off, for a second
    id: cut
    mode: enforce
    match: {rules: [Terminal shell in container]}
    actions:
      - {action: mark, actionner: kubernetes:annotate, parameters: {annotations: {eyrie.dev/suspect: "yes"}}, undo: {after: 1s}}
      - {action: cut, actionner: kubernetes:quarantine, undo: {after: 1s}}
`;

function runChild(failpoint: string): Promise<number | null> {
  const args = [CHILD, temporary.dataDir.path, place.rulesDir, place.scriptsDir, place.connectionsFile];
  const child = spawn('node', args, { env: { ...process.env, EYRIE_FAILPOINT: failpoint }, stdio: 'ignore' });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code)));
}

async function states(): Promise<readonly string[]> {
  const last = new Map<string, ActionRecord>();
  for (const { value } of await temporary.bus.read('actions', 0, 0, { maxBytes: 16 * 1024 * 1024 })) {
    const line = JSON.parse(value.toString()) as ActionRecord;
    expect(line.version).toBe((last.get(line.intent_key)?.version ?? 0) + 1);
    last.set(line.intent_key, line);
  }
  return [...last.values()].map(({ state }) => state);
}

it.each(['before-intent:1', 'after-intent:1', 'before-effect:2', 'after-effect:1', 'after-effect:5'])(
  'a timer survives the process, and killed at %s while it undoes, everything is taken back',
  async (point) => {
    const before = Array.from({ length: PODS }, (_, i) => labelsOf(i));
    const detections = Array.from({ length: PODS }, (_, i) => ({
      alert: `a${i}`,
      pod_uid: `uid-${i}`,
      fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': `web-${i}`, 'container.id': containerOf(i) },
    }));
    await temporary.bus.append([judgedOutput(detections)]);
    await temporary.reopen(async () => {
      expect(await runChild('')).toBe(0);
      expect(labelsOf(0)).toHaveProperty('eyrie.dev/quarantine');
      await sleep(AFTER_MS + 200);
      expect(await runChild(point)).toBe(null);
      // Tries again wait two seconds.
      await sleep(2_500);
      expect(await runChild('')).toBe(0);
    });
    expect(await states()).toEqual(Array(PODS * 2).fill('undone'));
    for (let i = 0; i < PODS; i += 1) {
      expect(labelsOf(i)).toEqual(before[i]);
      expect(api.objects.get(pathOf(i))?.metadata['annotations']).toEqual({});
    }
    expect([...api.objects.keys()].filter((path) => path.includes('networkpolicies'))).toEqual([]);
    expect(changes(api).length).toBeGreaterThanOrEqual(PODS * 5);
  },
);
