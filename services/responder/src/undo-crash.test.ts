import { setTimeout as sleep } from 'node:timers/promises';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { judgedOutput } from './testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { changes } from './testing/pods.ts';
import { runChild } from './testing/run-child.ts';
import { connectLab, detectionIn, numberedPod, podPath, readLedger } from './testing/terminations.ts';

const PODS = 4;
const AFTER_MS = 1_000;
const pods = Array.from({ length: PODS }, (_, number) => ({ number }));

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
  connectLab(place, api);
  api.reset();
  for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const metadataOf = (pod: (typeof pods)[number]) => api.objects.get(podPath(pod))?.metadata;
const labels = () => pods.map((pod) => metadataOf(pod)?.['labels']);
const run = (failpoint = '') => runChild(temporary.dataDir.path, place, failpoint);

/** Marks the pods and cuts them off; `undo` stands in both actions. */
function ruleWith(undo: string): string {
  return `
version: 1
rules:
  - rule: Mark and cut off
    id: cut
    mode: enforce
    match: {rules: [Terminal shell in container]}
    actions:
      - {action: mark, actionner: kubernetes:annotate, parameters: {annotations: {eyrie.dev/suspect: "yes"}}${undo}}
      - {action: cut, actionner: kubernetes:quarantine${undo}}
`;
}

async function states(): Promise<readonly string[]> {
  const last = new Map<string, ActionRecord>();
  for (const line of await readLedger(temporary.bus)) {
    expect(line.version).toBe((last.get(line.intent_key)?.version ?? 0) + 1);
    last.set(line.intent_key, line);
  }
  return [...last.values()].map(({ state }) => state);
}

/** The pods are attacked, time passes, and a process dies where it undoes, if it does; another one goes on. */
async function attackAndCrash(point: string): Promise<number | null> {
  let killed: number | null = 0;
  await temporary.bus.append([judgedOutput(pods.map(detectionIn))]);
  await temporary.reopen(async () => {
    expect(await run()).toBe(0);
    for (const each of labels()) expect(each).toHaveProperty('eyrie.dev/quarantine');
    await sleep(AFTER_MS + 200);
    killed = await run(point);
    // Tries again wait two seconds.
    await sleep(2_500);
    expect(await run()).toBe(0);
  });
  return killed;
}

async function expectUndone(before: readonly unknown[]): Promise<void> {
  expect(await states()).toEqual(Array(PODS * 2).fill('undone'));
  expect(labels()).toEqual(before);
  for (const pod of pods) expect(metadataOf(pod)?.['annotations']).toEqual({});
  expect([...api.objects.keys()].filter((path) => path.includes('networkpolicies'))).toEqual([]);
  expect(changes(api).length).toBeGreaterThanOrEqual(PODS * 5);
}

it.each(['before-intent:1', 'after-intent:1', 'before-effect:2', 'after-effect:1', 'after-effect:5'])(
  'a timer survives the process, and killed at %s while it undoes, everything is taken back',
  async (point) => {
    place.rule('cut.yaml', ruleWith(', undo: {after: 1s}'));
    const before = labels();
    expect(await attackAndCrash(point)).toBe(null);
    await expectUndone(before);
  },
);

it('what was not taken back would be seen: without a timer nothing is (negative control)', async () => {
  place.rule('cut.yaml', ruleWith(''));
  const before = labels();
  expect(await attackAndCrash('before-intent:1')).toBe(0);
  await expect(expectUndone(before)).rejects.toThrow();
  expect(labels()).not.toEqual(before);
});
