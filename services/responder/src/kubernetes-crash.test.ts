import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { judgedOutput } from './testing/judged.ts';
import { FAKE_TOKEN, type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { aPod, changes } from './testing/pods.ts';

const PODS = 8;
const CHILD = join(import.meta.dirname, 'testing/crash-child.ts');

let api: FakeKubernetes;
let place: TestPlace;
let temporary: TemporaryLog;

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
  place.rule('kill.yaml', RULES);
  api.reset();
  for (let i = 0; i < PODS; i += 1) api.objects.set(pathOf(i), podNumber(i, `uid-${i}`));
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const RULES = `
version: 1
policy: {limits: {disruptive: {}}}
rules:
  - rule: Kill
    id: kill
    mode: enforce
    match: {rules: [Terminal shell in container]}
    cooldown: 1s
    limits: {rule: 100/1h}
    actions: [{action: kill, actionner: kubernetes:terminate, parameters: {method: delete}}]
    tests:
      - {name: acts, given: {event: {rule: Terminal shell in container}}, expect: {decision: executing}}
      - {name: not otherwise, given: {event: {rule: Other}}, expect: {decision: no_match}}
`;

const containerOf = (i: number) => i.toString(16).padStart(12, 'c');
const pathOf = (i: number) => `/api/v1/namespaces/shop/pods/web-${i}`;

function podNumber(i: number, uid: string) {
  const pod = aPod({ metadata: { name: `web-${i}`, uid } });
  return { ...pod, status: { containerStatuses: [{ name: 'web', containerID: `containerd://${containerOf(i)}` }] } };
}

function detections() {
  return Array.from({ length: PODS }, (_, i) => ({
    alert: `a${i}`,
    pod_uid: `uid-${i}`,
    fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': `web-${i}`, 'container.id': containerOf(i) },
  }));
}

function runChild(failpoint: string): Promise<number | null> {
  const args = [CHILD, temporary.dataDir.path, place.rulesDir, place.scriptsDir, place.connectionsFile];
  const child = spawn('node', args, { env: { ...process.env, EYRIE_FAILPOINT: failpoint }, stdio: 'ignore' });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code)));
}

async function endings(): Promise<string[]> {
  const last = new Map<string, ActionRecord>();
  for (const { value } of await temporary.bus.read('actions', 0, 0, { maxBytes: 16 * 1024 * 1024 })) {
    const line = JSON.parse(value.toString()) as ActionRecord;
    expect(line.version).toBe((last.get(line.intent_key)?.version ?? 0) + 1);
    last.set(line.intent_key, line);
  }
  return [...last.values()].map(({ state }) => state);
}

/** What was deleted, by uid. The name is taken again at once, as a StatefulSet does, by a pod of the uid that `next` gives. */
async function crashAndRecover(point: string, next: (uid: string) => string): Promise<readonly string[]> {
  await temporary.bus.append([judgedOutput(detections())]);
  const remove = api.objects.delete.bind(api.objects);
  const ended: string[] = [];
  api.objects.delete = (path) => {
    const uid = api.objects.get(path)?.metadata.uid ?? '';
    ended.push(uid);
    api.objects.set(path, podNumber(Number(path.split('-').at(-1)), next(uid)));
    return true;
  };
  try {
    await temporary.reopen(async () => {
      expect(await runChild(point)).toBe(null);
      expect(await runChild('')).toBe(0);
    });
  } finally {
    api.objects.delete = remove;
  }
  return ended.sort();
}

const ALL = Array.from({ length: PODS }, (_, i) => `uid-${i}`);

it.each([
  'before-intent:1',
  'after-intent:1',
  'before-effect:1',
  'before-effect:5',
  'after-effect:1',
  'after-effect:6',
])('killed at %s every pod of an event is ended once, and a pod made anew under its name is left', async (point) => {
  expect(await crashAndRecover(point, (uid) => `${uid}-again`)).toEqual(ALL);
  expect(await endings()).toEqual(Array(PODS).fill('succeeded'));
  for (const { body } of changes(api)) expect(body['preconditions']).toHaveProperty('uid');
});

it('a second deletion would be seen: where the uid says nothing, one is made (negative control)', async () => {
  const ended = await crashAndRecover('after-effect:1', (uid) => uid);
  expect(ended.length).toBeGreaterThan(PODS);
});
