import { type ClusterId, type Nanos, nanosOfMs, type TenantId, type WorkloadSnapshot } from '@eyrie/schemas';
import { describe, expect, it } from 'vitest';
import { type JoinSubject, WorkloadIndex } from './workload-index.ts';

const T0 = Date.UTC(2026, 4, 4, 10);
const MINUTE = 60_000;
const tenant = 'acme' as TenantId;
const id64 = (seed: number) => seed.toString(16).padStart(12, '0').padEnd(64, 'f');
const id12 = (seed: number) => id64(seed).slice(0, 12);

function aPod(seed: number, fields: Partial<WorkloadSnapshot> = {}): WorkloadSnapshot {
  return {
    v: 1,
    tenant,
    cluster: 'east' as ClusterId,
    uid: `uid-${seed}`,
    namespace: 'shop',
    pod: `cart-${seed}`,
    node: `node-${seed % 5}`,
    owner: { kind: 'Deployment', name: `cart-${seed % 50}` },
    containers: [{ name: 'app', id: id64(seed), image: 'registry.example/cart', tag: '1', digest: 'sha256:1' }],
    started_at: T0,
    observed_at: T0,
    ...fields,
  };
}

function subject(fields: Partial<JoinSubject>): JoinSubject {
  return { tenant, cluster: 'east' as ClusterId, time: nanosOfMs(T0 + MINUTE), ...fields };
}

const at = (ms: number): Nanos => nanosOfMs(T0 + ms);

/** 500 pods in two clusters of the same names; ids collide in pairs, between clusters and between nodes. */
function twoClusters(): { index: WorkloadIndex; pods: WorkloadSnapshot[] } {
  const index = new WorkloadIndex();
  const pods: WorkloadSnapshot[] = [];
  for (const cluster of ['east', 'west'] as ClusterId[]) {
    for (let seed = 0; seed < 250; seed += 1) {
      // Pods 2n and 2n+1 share the 12 digits and run on different nodes.
      const containers = [{ name: 'app', id: id64(Math.trunc(seed / 2)), image: 'registry.example/cart' }];
      pods.push(
        aPod(seed, {
          cluster,
          uid: `${cluster}-${seed}`,
          owner: { kind: 'Deployment', name: `${cluster}-cart-${seed}` },
          containers,
        }),
      );
    }
  }
  for (const pod of pods) index.apply(pod);
  return { index, pods };
}

describe('500 pods in 2 clusters, same names, colliding ids', () => {
  const { index, pods } = twoClusters();

  it.each([
    ['uid', (pod: WorkloadSnapshot) => subject({ cluster: pod.cluster, pod_uid: pod.uid })],
    [
      'container id and host',
      (pod: WorkloadSnapshot) =>
        subject({
          cluster: pod.cluster,
          container_id: pod.containers[0]?.id?.slice(0, 12) ?? '',
          host: pod.node ?? '',
        }),
    ],
    [
      'name and host',
      (pod: WorkloadSnapshot) =>
        subject({ cluster: pod.cluster, namespace: pod.namespace, pod: pod.pod, host: pod.node ?? '' }),
    ],
  ])('each is found by %s, and never that of the other cluster', (_, of) => {
    for (const pod of pods) {
      const found = index.identify(of(pod));
      expect([found?.pod_uid, found?.workload]).toEqual([pod.uid, pod.owner.name]);
    }
  });

  it('joins nothing where the id alone leaves two, or the host is another', () => {
    expect(index.identify(subject({ container_id: id12(0) }))).toBeUndefined();
    expect(index.identify(subject({ container_id: id12(0), host: 'node-9' }))).toBeUndefined();
    expect(
      index.identify(subject({ cluster: 'north' as ClusterId, container_id: id12(0), host: 'node-0' })),
    ).toBeUndefined();
    expect(index.identify(subject({ tenant: 'globex' as TenantId, pod_uid: 'east-0' }))).toBeUndefined();
  });

  it('without the check of the host would join wrongly: the collision is real', () => {
    const ids = pods
      .filter(({ cluster }) => cluster === 'east')
      .map(({ containers }) => containers[0]?.id?.slice(0, 12));
    expect(new Set(ids).size).toBe(125);
  });
});

describe('a recreated pod of a StatefulSet', () => {
  const old = aPod(1, { uid: 'old', pod: 'db-0', node: 'node-1', deleted_at: T0 + 60 * MINUTE });
  const young = aPod(2, { uid: 'young', pod: 'db-0', node: 'node-1', started_at: T0 + 61 * MINUTE });
  const named = (ms: number, fields: Partial<JoinSubject> = {}) =>
    subject({ namespace: 'shop', pod: 'db-0', time: at(ms), ...fields });

  it('is the one that lived then', () => {
    const index = new WorkloadIndex();
    index.apply(young);
    index.apply(old);
    expect(index.identify(named(30 * MINUTE))?.pod_uid).toBe('old');
    expect(index.identify(named(90 * MINUTE))?.pod_uid).toBe('young');
    expect(index.identify(named(-10 * MINUTE))).toBeUndefined();
  });

  it('is not joined by name where the containers say it may be the other', () => {
    const index = new WorkloadIndex();
    const { deleted_at: _, ...running } = old;
    index.apply(running);
    expect(index.identify(named(90 * MINUTE, { container_id: id12(2) }))).toBeUndefined();
    index.apply(young);
    expect(index.identify(named(90 * MINUTE, { container_id: id12(2) }))?.pod_uid).toBe('young');
  });
});

describe('the index', () => {
  it('keeps the ids a pod had before a restart, and takes no older word', () => {
    const index = new WorkloadIndex();
    index.apply(aPod(1));
    index.apply(
      aPod(1, { containers: [{ name: 'app', id: id64(77), image: 'registry.example/cart' }], observed_at: T0 + 2 }),
    );
    expect(index.apply(aPod(1, { owner: { kind: 'Job', name: 'x' }, observed_at: T0 + 1 }))).toBe(false);
    for (const container_id of [id12(1), id12(77)]) {
      expect(index.find(subject({ container_id, host: 'node-1' }))).toMatchObject({
        by: 'container_id',
        identity: { pod_uid: 'uid-1', workload: 'cart-1', container: 'app' },
      });
    }
  });

  it('forgets deleted pods after a day, and removed records at once', () => {
    const index = new WorkloadIndex();
    index.apply(aPod(1, { deleted_at: T0 + MINUTE }));
    index.apply(aPod(2));
    index.expire(T0 + MINUTE + 86_400_000 - 1);
    expect(index.pods).toBe(2);
    index.expire(T0 + MINUTE + 86_400_000);
    expect(index.pods).toBe(1);
    index.remove('acme/east/uid-2');
    expect(index.pods).toBe(0);
    expect(index.identify(subject({ container_id: id12(2), host: 'node-2' }))).toBeUndefined();
    expect(index.hasInventory('acme', 'east')).toBe(true);
    expect(index.hasInventory('acme', 'west')).toBe(false);
  });

  it('is bounded: deleted pods leave first, and each is counted', () => {
    const index = new WorkloadIndex({ podsMax: 10 });
    for (let seed = 0; seed < 10; seed += 1) index.apply(aPod(seed));
    index.apply(aPod(5, { deleted_at: T0 + 1, observed_at: T0 + 1 }));
    index.apply(aPod(10));
    expect(index.identify(subject({ pod_uid: 'uid-5' }))).toBeUndefined();
    expect(index.identify(subject({ pod_uid: 'uid-0' }))?.workload).toBe('cart-0');
    expect([index.pods, index.takeEvicted(), index.takeEvicted()]).toEqual([10, 1, 0]);
  });

  it('knows no owner of events of the host', () => {
    const index = new WorkloadIndex();
    index.apply(aPod(1));
    expect(index.identify(subject({ container_id: 'host', host: 'node-1' }))).toBeUndefined();
  });
});
