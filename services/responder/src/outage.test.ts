import { type Clock, systemClock } from '@eyrie/platform/clock';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Responder } from './main.ts';
import { judgedOutput } from './testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { changes } from './testing/pods.ts';
import { testResponder } from './testing/responder.ts';
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

/** More than the cluster's lane takes at once. */
const PODS = 40;
const DEADLINE_MS = 300_000;
const SOON = { timeout: 30_000, interval: 20 };

let api: FakeKubernetes;
let place: TestPlace;
let temporary: TemporaryLog;
let responder: Responder;
/** How far the clock is ahead, milliseconds. */
let ahead: number;

const clock: Clock = { now: () => Date.now() + ahead, sleep: systemClock.sleep };
const pods = Array.from({ length: PODS }, (_, number) => ({ number }));

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(() => api.close());
beforeEach(async () => {
  ahead = 0;
  place = testPlace();
  temporary = temporaryLog();
  api.reset();
  for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
  connectLab(place, api);
  place.rule('kill.yaml', terminateRule({ more: ', retry: {attempts: 50, backoff: 50ms..200ms}' }));
  responder = testResponder(
    { bus: temporary.bus, metrics: temporary.metrics, clock },
    { rulesDir: place.rulesDir, connectionsFile: place.connectionsFile },
  );
  await responder.start();
});
afterEach(async () => {
  await responder.stop();
  await temporary.remove();
  place.remove();
});

const attack = () => temporary.bus.append([judgedOutput(pods.map(detectionIn))]);

/** Until so many tries ended that way. */
async function tried(count: number, reason: string): Promise<void> {
  const failed = async () => (await readLedger(temporary.bus)).filter((line) => line.reason === reason).length;
  await vi.waitFor(async () => expect(await failed()).toBeGreaterThanOrEqual(count), SOON);
}

/** How so many intents ended, once all have. */
async function ended(count = PODS): Promise<Readonly<Record<string, number>>> {
  let counts: Readonly<Record<string, number>> = {};
  await vi.waitFor(async () => {
    counts = countEndings(await readLedger(temporary.bus));
    expect(Object.values(counts).reduce((sum, one) => sum + one, 0)).toBe(count);
  }, SOON);
  return counts;
}

const ALL = pods.map(uidOf).sort();

it.each([
  [500, 'http_5xx'],
  [0, 'network'],
] as const)('an API server that answers %i for a while: every pod is ended once after it', async (fault, reason) => {
  const deletions = watchDeletions(api);
  api.fault = fault;
  await attack();
  await tried(2 * PODS, reason);
  expect(deletions.uids).toEqual([]);
  api.fault = undefined;
  expect(await ended()).toEqual({ 'succeeded done': PODS });
  expect(deletions.uids.toSorted()).toEqual(ALL);
  deletions.done();
});

it('an API server that is down for a while: every pod is ended once after it', async () => {
  const deletions = watchDeletions(api);
  await api.down();
  await attack();
  await tried(2 * PODS, 'network');
  await api.up();
  expect(await ended()).toEqual({ 'succeeded done': PODS });
  expect(deletions.uids.toSorted()).toEqual(ALL);
  deletions.done();
});

it('an API server that loses its answers after the deed: every pod is ended once, and found gone', async () => {
  const deletions = watchDeletions(api);
  const remove = api.objects.delete.bind(api.objects);
  let lost = 0;
  api.objects.delete = (path) => {
    // Looks are answered; of deletions every second answer is lost.
    lost += 1;
    if (lost % 2 === 0) api.fault = -1;
    setImmediate(() => {
      api.fault = undefined;
    });
    return remove(path);
  };
  await attack();
  const { 'succeeded already_gone': gone = 0, 'succeeded done': done = 0, ...others } = await ended();
  expect(others).toEqual({});
  expect(gone).toBeGreaterThan(0);
  expect(gone + done).toBe(PODS);
  expect(deletions.uids.toSorted()).toEqual(ALL);
  deletions.done();
});

it('an API server that is away beyond the deadline: every action is denied, and nothing happens when it is back', async () => {
  api.fault = 500;
  await attack();
  await tried(PODS, 'http_5xx');
  ahead = DEADLINE_MS;
  expect(await ended()).toEqual({ 'denied deadline': PODS });
  api.fault = undefined;
  // Another alert acts: the lane was looked at again.
  api.objects.set(podPath({ number: PODS }), numberedPod({ number: PODS }));
  await temporary.bus.append([judgedOutput([detectionIn({ number: PODS })])]);
  expect(await ended(PODS + 1)).toEqual({ 'denied deadline': PODS, 'succeeded done': 1 });
  expect(changes(api)).toHaveLength(1);
});

it('an action without an ending, or with two, would be seen (negative control)', async () => {
  await attack();
  await ended();
  const lines = await readLedger(temporary.bus);
  const last = lines.at(-1);
  if (last === undefined) throw new Error('no ledger');
  expect(() => countEndings(lines.slice(0, -1))).toThrow('1 intents have no ending');
  expect(() => countEndings([...lines, { ...last, version: last.version + 1 }])).toThrow('goes on');
});
