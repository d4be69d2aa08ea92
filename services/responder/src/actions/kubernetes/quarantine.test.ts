import { describe, expect, it } from 'vitest';
import { policyOf, useCluster } from '../../testing/cluster.ts';
import type { KubernetesObject } from '../../testing/kubernetes-api.ts';
import { aPod, changes, POD_PATH, UID } from '../../testing/pods.ts';
import { kubernetesQuarantine } from './quarantine.ts';

const cluster = useCluster();
const POLICIES = '/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies';
const ID = 'ab'.repeat(8);
const DENY = `${POLICIES}/eyrie-quarantine-${ID}`;
const run = (options: Parameters<typeof cluster.run>[1] = {}) => cluster.run(kubernetesQuarantine, options);
const labels = () => cluster.api.objects.get(POD_PATH)?.metadata['labels'];

function policy(name: string, spec: object, own: object = {}): void {
  const metadata = { name, namespace: 'shop', uid: name, resourceVersion: '1', ...own };
  cluster.api.objects.set(`${POLICIES}/${name}`, { kind: 'NetworkPolicy', metadata, spec } as KubernetesObject);
}

const ALLOW = { policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] };

/** How open a pod is, told by the letter of the API: 2 to everything, 1 to something, 0 to nothing; each direction. */
function openness(): readonly [number, number] {
  const pod = cluster.api.objects.get(POD_PATH)?.metadata['labels'] as Record<string, string>;
  const all = [...cluster.api.objects].filter(([path]) => path.startsWith(POLICIES)).map(([, object]) => object);
  return ['Ingress', 'Egress'].map((type) => {
    const selecting = all.filter(({ spec }) => {
      const { podSelector = {}, policyTypes = ['Ingress'] } = spec as Record<string, never>;
      return (policyTypes as string[]).includes(type) && matches(podSelector, pod);
    });
    if (selecting.length === 0) return 2;
    return selecting.some(({ spec }) => ((spec as Record<string, unknown[]>)[type.toLowerCase()] ?? []).length > 0)
      ? 1
      : 0;
  }) as unknown as readonly [number, number];
}

interface Term {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

function matches(selector: { matchLabels?: object; matchExpressions?: readonly Term[] }, pod: Record<string, string>) {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (pod[key] !== value) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const isThere = key in pod;
    const isIn = isThere && values.includes(pod[key] ?? '');
    if (operator === 'In' ? !isIn : operator === 'NotIn' ? isIn : operator === 'Exists' ? !isThere : isThere)
      return false;
  }
  return true;
}

describe('policies that were there', () => {
  it.each<[string, () => void, string | undefined, readonly [number, number]]>([
    ['none', () => {}, undefined, [0, 0]],
    [
      'of its own labels',
      () => policy('web', { podSelector: { matchLabels: { app: 'web' } }, ...ALLOW }),
      undefined,
      [0, 0],
    ],
    [
      'a default deny',
      () => policy('deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
      undefined,
      [0, 0],
    ],
    ['allowing all, namespace-wide', () => policy('all', { podSelector: {}, ...ALLOW }), 'all', [1, 1]],
    [
      'incoming only, namespace-wide',
      () => policy('in', { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }),
      'in',
      [1, 0],
    ],
    [
      'NotIn',
      () =>
        policy('not-in', {
          podSelector: { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] },
          ...ALLOW,
        }),
      'not-in',
      [1, 1],
    ],
    [
      'DoesNotExist',
      () =>
        policy('absent', { podSelector: { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, ...ALLOW }),
      'absent',
      [1, 1],
    ],
    [
      'In and Exists, of labels that go',
      () =>
        policy('in', {
          podSelector: {
            matchExpressions: [
              { key: 'app', operator: 'In', values: ['web'] },
              { key: 'app', operator: 'Exists' },
            ],
          },
          ...ALLOW,
        }),
      undefined,
      [0, 0],
    ],
  ])('%s: never less cut off than before, and what still lets through is named', async (_, put, hole, after) => {
    put();
    const before = openness();
    const moments: (readonly [number, number])[] = [];
    const set = cluster.api.objects.set.bind(cluster.api.objects);
    cluster.api.objects.set = (path, object) => {
      const made = set(path, object);
      moments.push(openness());
      return made;
    };
    const result = await run();
    cluster.api.objects.set = set;
    expect(moments.length).toBe(2);
    for (const [ingress, egress] of moments) {
      // A moment in which a directory of policies stops to select the pod would show as 2 here.
      expect(ingress).toBeLessThanOrEqual(before[0]);
      expect(egress).toBeLessThanOrEqual(before[1]);
    }
    expect(openness()).toEqual(after);
    expect(result.kind).toBe('succeeded');
    expect(result).toMatchObject(
      hole === undefined ? {} : { reason: 'partial', detail: expect.stringContaining(`by ${hole};`) },
    );
    expect('reason' in result).toBe(hole !== undefined);
    expect(result).toHaveProperty('detail', expect.stringContaining('not proven: that the network plugin enforces'));
    expect(labels()).toEqual({ 'eyrie.dev/quarantine': ID });
  });

  it('the other order would have been found (negative control)', () => {
    policy('deny', { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress', 'Egress'] });
    expect(openness()).toEqual([0, 0]);
    // Labels first: nothing selects it any more.
    cluster.api.objects.set(POD_PATH, aPod({ metadata: { labels: { 'eyrie.dev/quarantine': ID } } }));
    expect(openness()).toEqual([2, 2]);
  });
});

describe('the pod', () => {
  it('is changed as it was looked at: uid and version in the change, its labels kept for an undo', async () => {
    await run();
    const [, patch] = changes(cluster.api);
    expect(patch?.body['metadata']).toMatchObject({ uid: UID, resourceVersion: '7' });
    const annotations = cluster.api.objects.get(POD_PATH)?.metadata['annotations'] as Record<string, string>;
    expect(JSON.parse(annotations['eyrie.dev/labels-before'] ?? '')).toEqual({
      app: 'web',
      'pod-template-hash': 'abc',
    });
  });

  it('of a StatefulSet stays with it, and what its labels let through is named', async () => {
    const ownerReferences = [{ kind: 'StatefulSet', name: 'web', controller: true }];
    cluster.api.objects.set(POD_PATH, aPod({ metadata: { ownerReferences } }));
    policy('web', { podSelector: { matchLabels: { app: 'web' } }, ...ALLOW });
    expect(await run()).toMatchObject({ reason: 'partial', detail: expect.stringContaining('by web;') });
    expect(labels()).toMatchObject({ app: 'web', 'eyrie.dev/quarantine': ID });
    expect(await run({ parameters: { leave_controller: 'always' } })).toMatchObject({ kind: 'succeeded' });
  });

  it('on the network of its node is denied: no policy would hold', async () => {
    cluster.api.objects.set(POD_PATH, aPod({ spec: { hostNetwork: true } }));
    expect(await run()).toMatchObject({ kind: 'denied', reason: 'host_network' });
    expect(changes(cluster.api)).toEqual([]);
  });

  it('changed between look and deed is looked at again', async () => {
    const get = cluster.api.objects.get.bind(cluster.api.objects);
    let looks = 0;
    cluster.api.objects.get = (path) => {
      if (path === POD_PATH) looks += 1;
      return path === POD_PATH && looks > 1 ? aPod({ metadata: { resourceVersion: '8' } }) : get(path);
    };
    expect(await run()).toMatchObject({ kind: 'retry', isOwn: true });
    cluster.api.objects.get = get;
    expect(await run({ attempt: 2 })).toMatchObject({ kind: 'succeeded' });
  });
});

it('done twice is done once: the policy is known as ours, the labels are set', async () => {
  await run();
  const objects = new Map(cluster.api.objects);
  expect(await run({ attempt: 2 })).toMatchObject({ kind: 'succeeded' });
  expect(new Map(cluster.api.objects)).toEqual(objects);
});

it('a policy of that name which is not ours is never overwritten, and nothing is changed', async () => {
  policy(`eyrie-quarantine-${ID}`, { podSelector: {}, ...ALLOW });
  expect(await run()).toMatchObject({ kind: 'denied', reason: 'foreign_policy' });
  expect(labels()).toEqual({ app: 'web', 'pod-template-hash': 'abc' });
});

it('a dry run asks for both changes and makes none, and names what would let through', async () => {
  policy('all', { podSelector: {}, ...ALLOW });
  expect(await run({ dry: true })).toMatchObject({ reason: 'partial', detail: expect.stringContaining('by all;') });
  expect(changes(cluster.api).map(({ query }) => query.get('dryRun'))).toEqual(['All', 'All']);
  expect(cluster.api.objects.has(DENY)).toBe(false);
  expect(labels()).toEqual({ app: 'web', 'pod-template-hash': 'abc' });
});

it.each(['create networkpolicies', 'patch pods', 'list networkpolicies'])(
  'without the right to %s it is denied',
  async (right) => {
    cluster.api.forbidden.add(right);
    expect(await run()).toMatchObject({ kind: 'denied', reason: 'forbidden' });
  },
);

it('needs a cluster', () => {
  const { http, connections } = cluster;
  const none = { http, policy: policyOf(), connections: { ...connections, clusters: new Map() } };
  expect(kubernetesQuarantine(none).check({})).toMatchObject({ ok: false });
});

describe('an undo', () => {
  const undo = () => cluster.undo(kubernetesQuarantine);

  it('gives the labels back before the policy goes, and says what may come of it', async () => {
    const before = labels();
    await run();
    expect(await undo()).toMatchObject({ kind: 'succeeded', detail: expect.stringContaining('ReplicaSet') });
    expect([labels(), cluster.api.objects.has(DENY)]).toEqual([before, false]);
    expect(changes(cluster.api).map(({ method }) => method)).toEqual(['POST', 'PATCH', 'PATCH', 'DELETE']);
    expect(await undo()).toMatchObject({ kind: 'succeeded' });
    expect(labels()).toEqual(before);
  });

  it('goes on where the process died between', async () => {
    const before = labels();
    await run();
    cluster.api.forbidden.add('delete networkpolicies');
    expect(await undo()).toMatchObject({ kind: 'denied', reason: 'forbidden' });
    expect([labels(), cluster.api.objects.has(DENY)]).toEqual([before, true]);
    cluster.api.forbidden.clear();
    expect(await undo()).toMatchObject({ kind: 'succeeded' });
    expect(cluster.api.objects.has(DENY)).toBe(false);
  });

  it('leaves a pod whose label is another one, and keeps what somebody set since', async () => {
    await run();
    const pod = cluster.api.objects.get(POD_PATH);
    if (pod === undefined) throw new Error('gone');
    const own = pod.metadata['labels'] as Record<string, string>;
    const put = (changed: object) =>
      cluster.api.objects.set(POD_PATH, { ...pod, metadata: { ...pod.metadata, labels: changed } });
    put({ 'eyrie.dev/quarantine': 'another' });
    expect(await undo()).toMatchObject({ kind: 'denied', reason: 'drifted' });
    expect(labels()).toEqual({ 'eyrie.dev/quarantine': 'another' });
    put({ ...own, app: 'forensics' });
    expect(await undo()).toMatchObject({ kind: 'succeeded' });
    expect(labels()).toEqual({ app: 'forensics', 'pod-template-hash': 'abc' });
  });

  it('of a pod that is gone takes the policy away, but none that is not ours', async () => {
    await run();
    cluster.api.objects.delete(POD_PATH);
    expect(await undo()).toMatchObject({ kind: 'succeeded', reason: 'already_gone' });
    expect(cluster.api.objects.has(DENY)).toBe(false);
    policy(`eyrie-quarantine-${ID}`, { podSelector: {} });
    expect(await undo()).toMatchObject({ kind: 'denied', reason: 'foreign_policy' });
    expect(cluster.api.objects.has(DENY)).toBe(true);
  });
});
