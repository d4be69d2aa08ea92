import type { ClusterId, Owner, WorkloadSnapshot } from '@eyrie/schemas';
import type { Random } from './random.ts';

/** What the inventory is told; the token adds the tenant. */
export type PodSnapshot = Omit<WorkloadSnapshot, 'tenant'>;

export interface SimulatedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly owner: Owner;
  readonly container: string;
  /** 64 hex digits. */
  readonly containerId: string;
  readonly image: string;
  readonly tag: string;
  readonly startedAt: number;
}

export interface Fleet {
  readonly nodes: readonly [string, ...string[]];
  readonly pods: readonly SimulatedPod[];
  /** Pods of a workload. */
  of(workload: string): readonly [SimulatedPod, ...SimulatedPod[]];
}

type Plan = readonly [namespace: string, kind: string, name: string, container: string, image: string, pods: number];

const REGISTRY = 'registry.example';
const PLANS: readonly Plan[] = [
  ['shop', 'Deployment', 'storefront', 'web', `${REGISTRY}/shop/storefront`, 3],
  ['shop', 'Deployment', 'cart', 'app', `${REGISTRY}/shop/cart`, 3],
  ['shop', 'Deployment', 'checkout', 'app', `${REGISTRY}/shop/checkout`, 2],
  ['shop', 'StatefulSet', 'orders-db', 'postgres', 'docker.io/library/postgres', 2],
  ['media', 'Deployment', 'thumbnailer', 'worker', `${REGISTRY}/media/thumbnailer`, 2],
  ['platform', 'Deployment', 'cert-manager', 'cert-manager-controller', 'quay.io/jetstack/cert-manager-controller', 1],
  ['platform', 'Deployment', 'velero', 'velero', 'docker.io/velero/velero', 1],
  ['platform', 'CronJob', 'nightly-backup', 'backup', `${REGISTRY}/platform/backup`, 1],
  ['monitoring', 'DaemonSet', 'log-shipper', 'shipper', 'docker.io/fluent/fluent-bit', 3],
  ['monitoring', 'StatefulSet', 'prometheus', 'prometheus', 'quay.io/prometheus/prometheus', 1],
  ['ci', 'Job', 'build-4711', 'build', `${REGISTRY}/ci/runner`, 1],
  ['sandbox', 'Deployment', 'notebook', 'jupyter', 'docker.io/jupyter/minimal-notebook', 1],
];
const NODES = ['node-a', 'node-b', 'node-c'] as const;
/** The letters Kubernetes makes names of. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** A small cluster: 3 nodes, 12 workloads. */
export function createFleet(random: Random, startMs: number): Fleet {
  const pods: SimulatedPod[] = [];
  for (const plan of PLANS) {
    for (let i = 0; i < plan[5]; i += 1)
      pods.push(createPod(plan, i, NODES[pods.length % 3] ?? 'node-a', random, startMs));
  }
  return {
    nodes: [...NODES],
    pods,
    of: (workload) => {
      const [first, ...rest] = pods.filter(({ owner }) => owner.name === workload);
      if (first === undefined) throw new RangeError(`the simulated cluster has no workload ${workload}`);
      return [first, ...rest];
    },
  };
}

function createPod(plan: Plan, index: number, node: string, random: Random, startMs: number): SimulatedPod {
  const [namespace, kind, name, container, image] = plan;
  const letters = (count: number) =>
    Array.from({ length: count }, () => LETTERS[random.between(0, LETTERS.length)]).join('');
  const suffix =
    kind === 'StatefulSet' ? `${index}` : kind === 'Deployment' ? `${random.hex(9)}-${letters(5)}` : letters(5);
  const uid = [8, 4, 4, 4, 12].map((digits) => random.hex(digits)).join('-');
  const tag = `1.${random.between(0, 20)}.${random.between(0, 10)}`;
  const startedAt = startMs - random.between(60, 20_000) * 60_000;
  return {
    namespace,
    name: `${name}-${suffix}`,
    uid,
    node,
    owner: { kind, name },
    container,
    containerId: random.hex(64),
    image,
    tag,
    startedAt,
  };
}

export function snapshotOf(pod: SimulatedPod, cluster: ClusterId, observedAt: number): PodSnapshot {
  return {
    v: 1,
    cluster,
    uid: pod.uid,
    namespace: pod.namespace,
    pod: pod.name,
    node: pod.node,
    owner: pod.owner,
    service_account: pod.owner.name,
    containers: [{ name: pod.container, id: pod.containerId, image: pod.image, tag: pod.tag }],
    started_at: pod.startedAt,
    observed_at: observedAt,
  };
}
