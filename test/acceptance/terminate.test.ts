/** From a sensor's post to the pods of a cluster: which are ended, which are not, and what the ledger says of each. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { type FakeKubernetes, fakeKubernetes } from '../../services/responder/src/testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from '../../services/responder/src/testing/place.ts';
import {
  connectLab,
  containerOf,
  fieldsOf,
  numberedPod,
  podPath,
  terminateRule,
  uidOf,
} from '../../services/responder/src/testing/terminations.ts';
import { EVENT } from './eyrie.ts';

const REPLICAS = 8;
const ATTACKED = 5;
/** Of one workload. */
const LIMIT = 3;
const SOON = { timeout: 30_000, interval: 200 };

interface Action {
  readonly action: string;
  readonly alert_id: string;
  readonly target: string;
  readonly cluster: string;
  readonly state: string;
  readonly reason: string;
}

const directory = temporaryDirectory('terminate');
const pods = Array.from({ length: REPLICAS }, (_, number) => ({ number }));
let api: FakeKubernetes;
let place: TestPlace;
let running: Running;

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(async () => {
  await api.close();
  directory.remove();
});

let directories = 0;
let posted = 0;

beforeEach(async () => {
  api.reset();
  for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
  place = testPlace();
  connectLab(place, api);
  place.rule(
    'kill.yaml',
    terminateRule().replace('limits: {rule: 1000/1h}', `limits: {rule: 1000/1h, workload: ${LIMIT}/1h}`),
  );
  directories += 1;
  const dataDir = join(directory.path, String(directories));
  mkdirSync(dataDir, { mode: 0o700 });
  running = await startEyrie(dataDir, {
    env: {
      EYRIE_CLUSTER: 'lab',
      EYRIE_RULES_DIR: place.rulesDir,
      EYRIE_CONNECTIONS_FILE: place.connectionsFile,
    },
  });
  await introduce();
  return async () => {
    await running.stop();
    place.remove();
  };
}, 60_000);

async function ask(path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${running.ready.console}${path}`, {
    headers: { authorization: `Bearer ${running.ready.api_token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json();
}

/** Posts an event of that pod, as a sensor on its node does. */
async function post(
  pod: { readonly number: number },
  change: object = {},
  fields: object = {},
  token = running.ready.intake_token,
) {
  posted += 1;
  const time = new Date(Date.now() + posted).toISOString();
  const event = { ...EVENT, time, output_fields: { ...fieldsOf(pod), ...fields }, ...change };
  const answer = await fetch(`${running.ready.gateway}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  expect(await answer.json()).toMatchObject({ accepted: 1 });
}

/** The inventory tells of the pods; waits until the judge knows. */
async function introduce(): Promise<void> {
  const workloads = pods.map((pod) => ({
    cluster: 'lab',
    uid: uidOf(pod),
    namespace: 'shop',
    pod: `web-${pod.number}`,
    node: 'node-1',
    owner: { kind: 'Deployment', name: 'web' },
    containers: [{ name: 'web', id: containerOf(pod), image: 'shop/web' }],
    observed_at: Date.now(),
  }));
  expect(await ask('/v1/workloads', workloads)).toMatchObject({ accepted: REPLICAS });
  await vi.waitFor(async () => {
    await post({ number: REPLICAS - 1 }, { rule: 'Probe' });
    const { items } = (await ask('/v1/alerts')) as {
      readonly items: readonly { readonly identity: { readonly workload?: string } }[];
    };
    expect(items.map(({ identity }) => identity.workload)).toContain('web');
  }, SOON);
}

/** The ledger's latest states, once there are so many and all have ended. */
async function ledger(count: number): Promise<readonly Action[]> {
  return vi.waitFor(async () => {
    const { items } = (await ask('/v1/actions?limit=100')) as { readonly items: readonly Action[] };
    expect(items).toHaveLength(count);
    expect(items.filter(({ state }) => state === 'planned' || state === 'executing')).toEqual([]);
    return items;
  }, SOON);
}

it(`${ATTACKED} of ${REPLICAS} replicas attacked in one window are ${ATTACKED} plans of one alert, within the limit`, async () => {
  const attacked = pods.slice(0, ATTACKED);
  for (const pod of [...attacked, ...attacked]) await post(pod);
  const actions = await ledger(ATTACKED);
  expect(actions.map(({ target }) => target).sort()).toEqual(attacked.map(uidOf).sort());
  expect(new Set(actions.map(({ alert_id }) => alert_id)).size).toBe(1);
  const ended = actions.filter(({ state }) => state === 'succeeded');
  expect(ended).toHaveLength(LIMIT);
  const held = actions.filter(({ state }) => state !== 'succeeded').map(({ state, reason }) => `${state} ${reason}`);
  expect(held).toEqual(Array(ATTACKED - LIMIT).fill('suppressed limit_workload'));
  // What the ledger says is what happened.
  const left = [...api.objects.values()].map(({ metadata }) => metadata.uid);
  const gone = pods.map(uidOf).filter((uid) => !left.includes(uid));
  expect(gone.sort()).toEqual(ended.map(({ target }) => target).sort());
}, 90_000);

it('an event of another cluster, node or container ends nothing, and the ledger says why', async () => {
  const made = (await ask('/v1/tokens', { name: 'any', cluster: '*', scopes: ['intake'] })) as {
    readonly token: string;
  };
  const [forged, node, container, honest] = [0, 1, 2, 3].map((number) => ({ number }));
  if (forged === undefined || node === undefined || container === undefined || honest === undefined) return;
  await post(forged, {}, { 'static.cluster': 'east' }, made.token);
  await post(node, { hostname: 'node-9' });
  await post(container, {}, { 'container.id': 'f'.repeat(12) });
  // What an event of the cluster's own sensor claims of another one counts for nothing: it is of its own.
  await post(honest, {}, { 'static.cluster': 'east' });
  const reasons = (await ledger(4)).map(({ cluster, state, reason }) => `${cluster}: ${state} ${reason}`);
  expect(reasons.sort()).toEqual([
    'east: denied no_connection',
    'lab: denied event_not_of_this_pod',
    'lab: denied event_not_of_this_pod',
    'lab: succeeded done',
  ]);
  const left = [...api.objects.values()].map(({ metadata }) => metadata.uid);
  expect(left.sort()).toEqual(
    pods
      .filter(({ number }) => number !== honest.number)
      .map(uidOf)
      .sort(),
  );
}, 90_000);
