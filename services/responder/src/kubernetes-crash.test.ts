import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { judgedOutput } from './testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { changes } from './testing/pods.ts';
import { runChild } from './testing/run-child.ts';
import {
  connectLab,
  countEndings,
  detectionIn,
  numberedPod,
  podPath,
  readLedger,
  terminateRule,
  uidOf,
  watchDeletions,
} from './testing/terminations.ts';

const PODS = 8;
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
  place.rule('kill.yaml', terminateRule());
  api.reset();
  for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const run = (failpoint = '') => runChild(temporary.dataDir.path, place, failpoint);

/** What was deleted, by uid. The name is taken again at once, as a StatefulSet does, by a pod of the uid that `next` gives. */
async function crashAndRecover(point: string, next: (uid: string) => string): Promise<readonly string[]> {
  await temporary.bus.append([judgedOutput(pods.map(detectionIn))]);
  const deletions = watchDeletions(api, next);
  try {
    await temporary.reopen(async () => {
      expect(await run(point)).toBe(null);
      expect(await run()).toBe(0);
    });
  } finally {
    deletions.done();
  }
  return deletions.uids.toSorted();
}

const ALL = pods.map(uidOf).sort();

it.each([
  'before-intent:1',
  'after-intent:1',
  'before-effect:1',
  'before-effect:5',
  'after-effect:1',
  'after-effect:6',
])('killed at %s every pod of an event is ended once, and a pod made anew under its name is left', async (point) => {
  expect(await crashAndRecover(point, (uid) => `${uid}-again`)).toEqual(ALL);
  const ended = Object.entries(countEndings(await readLedger(temporary.bus)));
  expect(ended.every(([ending]) => ending.startsWith('succeeded '))).toBe(true);
  expect(ended.reduce((sum, [, count]) => sum + count, 0)).toBe(PODS);
  for (const { body } of changes(api)) expect(body['preconditions']).toHaveProperty('uid');
});

it('a second deletion would be seen: where the uid says nothing, one is made (negative control)', async () => {
  const ended = await crashAndRecover('after-effect:1', (uid) => uid);
  expect(ended.length).toBeGreaterThan(PODS);
});
