import { describe, expect, it } from 'vitest';
import { policyOf, useCluster } from '../../testing/cluster.ts';
import { aPod, aReplicaSet, CONTAINER, changes, POD_PATH, UID } from '../../testing/pods.ts';
import { kubernetesTerminate } from './terminate.ts';

const cluster = useCluster();
const run = (options: Parameters<typeof cluster.run>[1] = {}, policy = policyOf()) =>
  cluster.run(kubernetesTerminate, options, policy);

describe('the pod of the event', () => {
  it.each(['evict', 'delete'] as const)('is ended by %s, bound to its uid', async (method) => {
    expect(await run({ parameters: { method, grace_period_seconds: 5 } })).toMatchObject({ kind: 'succeeded' });
    expect(cluster.api.objects.has(POD_PATH)).toBe(false);
    const [change] = changes(cluster.api);
    const options = method === 'evict' ? change?.body['deleteOptions'] : change?.body;
    expect(options).toMatchObject({ preconditions: { uid: UID }, gracePeriodSeconds: 5 });
  });

  it('is left by a dry run, which asks the server whether it would', async () => {
    for (const method of ['evict', 'delete']) {
      expect(await run({ dry: true, parameters: { method } })).toMatchObject({ kind: 'succeeded' });
      expect(cluster.api.objects.has(POD_PATH)).toBe(true);
    }
    expect(changes(cluster.api)).toHaveLength(2);
    cluster.api.forbidden.add('create pods/eviction');
    expect(await run({ dry: true })).toMatchObject({ kind: 'denied', reason: 'forbidden' });
  });

  it('is gone already: done after a first try, nothing to do before it', async () => {
    cluster.api.objects.clear();
    expect(await run()).toMatchObject({ kind: 'denied', reason: 'target_gone' });
    expect(await run({ attempt: 2 })).toMatchObject({ kind: 'succeeded', reason: 'already_gone' });
    cluster.api.objects.set(POD_PATH, aPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    expect(await run()).toMatchObject({ kind: 'succeeded', reason: 'already_gone' });
    expect(changes(cluster.api)).toEqual([]);
  });
});

describe('another pod is never meant', () => {
  it.each([
    ['made anew under the same name', aPod({ metadata: { uid: 'another' } }), {}, 'other_pod'],
    ['an event of another container', aPod(), { container_id: 'ffffffffffff' }, 'event_not_of_this_pod'],
    [
      'a container id too short to prove anything',
      aPod(),
      { container_id: CONTAINER.slice(0, 8) },
      'event_not_of_this_pod',
    ],
    ['an event of another node', aPod(), { host: 'node-2' }, 'event_not_of_this_pod'],
    ['a pod without a node', aPod({ spec: { nodeName: undefined } }), {}, 'event_not_of_this_pod'],
    ['neither uid nor container', aPod(), { pod_uid: undefined, container_id: undefined }, 'event_not_of_this_pod'],
    ['no pod in the event', aPod(), { pod: undefined }, 'no_pod'],
    ['a name that is a path', aPod(), { pod: '../../nodes/node-1' }, 'no_pod'],
    ['dots alone', aPod(), { namespace: '..' }, 'no_pod'],
  ])('%s', async (_, pod, fields, reason) => {
    cluster.api.objects.set(POD_PATH, pod);
    expect(await run({ fields })).toMatchObject({ kind: 'denied', reason });
    expect(changes(cluster.api)).toEqual([]);
  });

  it('swapped between the look and the deed: the precondition refuses', async () => {
    for (const method of ['evict', 'delete']) {
      cluster.api.objects.set(POD_PATH, aPod());
      const get = cluster.api.objects.get.bind(cluster.api.objects);
      let looks = 0;
      cluster.api.objects.get = (path) => {
        looks += 1;
        return looks > 1 ? aPod({ metadata: { uid: 'another' } }) : get(path);
      };
      expect(await run({ parameters: { method } })).toMatchObject({ kind: 'denied', reason: 'other_pod' });
      cluster.api.objects.get = get;
      expect(cluster.api.objects.has(POD_PATH)).toBe(true);
    }
  });

  it('known by its container alone, the pod in which it runs', async () => {
    expect(await run({ fields: { pod_uid: undefined } })).toMatchObject({ kind: 'succeeded' });
    expect(changes(cluster.api)[0]?.body['deleteOptions']).toMatchObject({ preconditions: { uid: UID } });
  });

  it('a cluster without a connection', async () => {
    expect(await run({ cluster: 'forged' })).toMatchObject({ kind: 'denied', reason: 'no_connection' });
    expect(cluster.api.asked).toEqual([]);
  });

  it('a server with a certificate of another authority', async () => {
    expect(await run({ cluster: 'other' })).toMatchObject({ kind: 'retry', reason: 'network' });
    expect(cluster.api.asked).toEqual([]);
  });
});

describe('what is protected stays', () => {
  it.each([
    ['the namespace', aPod(), { namespaces: ['sh*'] }, 'protected_namespace'],
    ['the label', aPod({ metadata: { labels: { 'eyrie.dev/protect': 'true' } } }), {}, 'protected_workload'],
    [
      'a DaemonSet',
      aPod({ metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'x', controller: true }] } }),
      {},
      'protected_workload',
    ],
    ['a system priority', aPod({ spec: { priorityClassName: 'system-node-critical' } }), {}, 'protected_workload'],
    ['a pod nobody would start again', aPod({ metadata: { ownerReferences: [] } }), {}, 'standalone'],
  ])('%s', async (_, pod, guarded, reason) => {
    cluster.api.objects.set(POD_PATH, pod);
    expect(await run({}, policyOf({ protected: guarded }))).toMatchObject({ kind: 'denied', reason });
    expect(changes(cluster.api)).toEqual([]);
  });

  it.each([
    ['3', 4, true],
    ['3', 3, false],
    ['50%', 3, true],
    ['50%', 2, false],
    ['100%', 4, false],
  ])('%s ready of 4 wanted while %i are: ended %s', async (minReady, ready, isEnded) => {
    cluster.api.objects.set('/apis/apps/v1/namespaces/shop/replicasets/web', aReplicaSet(4, ready));
    const result = await run({ parameters: { min_ready: minReady } });
    expect(result).toMatchObject(isEnded ? { kind: 'succeeded' } : { kind: 'denied', reason: 'too_few_ready' });
    expect(cluster.api.objects.has(POD_PATH)).toBe(!isEnded);
  });

  it('when its owner cannot be read', async () => {
    expect(await run({ parameters: { min_ready: '1' } })).toMatchObject({ kind: 'denied', reason: 'unreadable' });
    cluster.api.forbidden.add('get replicasets');
    expect(await run({ parameters: { min_ready: '1' } })).toMatchObject({ kind: 'denied', reason: 'forbidden' });
    expect(changes(cluster.api)).toEqual([]);
  });
});

describe('the server', () => {
  it('refuses for a disruption budget: it is asked again later, and nobody else waits', async () => {
    cluster.api.budgets.set(POD_PATH, 1);
    expect(await run()).toMatchObject({ kind: 'retry', reason: 'disruption_budget', isOwn: true, afterMs: 10_000 });
    cluster.api.budgets.set(POD_PATH, 2);
    expect(await run()).toMatchObject({ kind: 'retry', reason: 'http_5xx' });
    expect(await run({ parameters: { method: 'delete' } })).toMatchObject({ kind: 'succeeded' });
  });

  it('does not let us: verb and resource are named', async () => {
    cluster.api.forbidden.add('get pods');
    const result = await run();
    expect(result).toMatchObject({ kind: 'denied', reason: 'forbidden' });
    expect(result).toHaveProperty('detail', expect.stringContaining('cannot get resource "pods"'));
  });

  it.each([
    [500, 'http_5xx'],
    [503, 'http_5xx'],
    [429, 'http_429'],
    [401, 'http_4xx'],
    [0, 'network'],
  ])('answers %i to the look: asked again, nothing done', async (fault, reason) => {
    cluster.api.fault = fault;
    expect(await run()).toMatchObject({ kind: 'retry', reason });
    expect(changes(cluster.api)).toEqual([]);
  });

  it('gives no pod: nothing is done', async () => {
    cluster.api.objects.set(POD_PATH, { metadata: { name: 'web-0' } } as never);
    expect(await run()).toMatchObject({ kind: 'denied', reason: 'unreadable' });
  });

  it('loses its answer after the deed: unknown first, and done when looked at again', async () => {
    const remove = cluster.api.objects.delete.bind(cluster.api.objects);
    cluster.api.objects.delete = (path) => {
      cluster.api.fault = -1;
      return remove(path);
    };
    expect(await run()).toMatchObject({ kind: 'ambiguous', reason: 'network' });
    cluster.api.objects.delete = remove;
    cluster.api.fault = undefined;
    expect(await run({ attempt: 2 })).toMatchObject({ kind: 'succeeded', reason: 'already_gone' });
  });
});

it('refuses parameters it does not know', () => {
  const { check } = kubernetesTerminate({ ...cluster, policy: policyOf() });
  expect(check({ method: 'kill' })).toMatchObject({ ok: false });
  expect(check({ min_healthy_replicas: '33%' })).toMatchObject({ ok: false });
  expect(check({ min_ready: '133%' })).toMatchObject({ ok: false });
  const { http, connections } = cluster;
  const none = kubernetesTerminate({ connections: { ...connections, clusters: new Map() }, http, policy: policyOf() });
  expect(none.check({})).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining('no cluster') }] });
});
