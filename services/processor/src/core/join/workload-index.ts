import type { Event, Identity, WorkloadSnapshot } from '@eyrie/schemas';
import { Words } from '../words.ts';
import { ClusterPods, type Known, livesAt, nameOf, type Pod } from './cluster-pods.ts';
import { podOf } from './pod.ts';

/** What of an event its pod is found by. */
export type JoinSubject = Pick<
  Event,
  'tenant' | 'cluster' | 'time' | 'host' | 'container_id' | 'namespace' | 'pod' | 'pod_uid'
>;

type FoundBy = 'pod_uid' | 'container_id' | 'name';

export interface Found {
  readonly identity: Identity;
  readonly by: FoundBy;
}

export interface WorkloadIndexOptions {
  /** Pods held at most; the longest gone leave first, then those not heard of for longest. Default 200,000. */
  readonly podsMax?: number;
  /** A deleted pod stays so long for late events, milliseconds. Default 24 hours. */
  readonly keepMs?: number;
}

const DAY_MS = 86_400_000;

/**
 * The pods of all clusters, for joining events. A wrong owner is worse than none: where host, time, pod name or container
 * contradict, nothing is joined, and the alert waits for what the inventory says next.
 */
export class WorkloadIndex {
  readonly #tenants = new Map<string, Map<string, ClusterPods>>();
  /** Deleted pods, in the order their deletion was heard of. */
  readonly #gone = new Map<string, readonly [cluster: ClusterPods, uid: string]>();
  /** All pods, in the order they were last heard of. */
  readonly #all = new Map<string, readonly [cluster: ClusterPods, uid: string]>();
  readonly #words = new Words();
  readonly #podsMax: number;
  readonly #keepMs: number;
  #evicted = 0;
  #version = 0;

  constructor({ podsMax = 200_000, keepMs = DAY_MS }: WorkloadIndexOptions = {}) {
    this.#podsMax = podsMax;
    this.#keepMs = keepMs;
  }

  /** Changes with every change of what is held. */
  get version(): number {
    return this.#version;
  }

  get pods(): number {
    return this.#all.size;
  }

  /** Takes what the inventory says; an older word than the one held changes nothing. True when something changed. */
  apply(snapshot: WorkloadSnapshot): boolean {
    const cluster = this.#open(snapshot.tenant, snapshot.cluster);
    const held = cluster.byUid.get(snapshot.uid);
    if (held !== undefined && held.snapshot.observed_at > snapshot.observed_at) return false;
    this.#version += 1;
    const pod = podOf(snapshot, held, this.#words);
    if (held !== undefined) cluster.remove(held);
    cluster.add(pod);
    const key = `${snapshot.tenant}/${snapshot.cluster}/${snapshot.uid}`;
    const entry = [cluster, snapshot.uid] as const;
    this.#all.delete(key);
    this.#all.set(key, entry);
    if (snapshot.deleted_at === undefined) this.#gone.delete(key);
    else if (!this.#gone.has(key)) this.#gone.set(key, entry);
    this.#bound();
    return true;
  }

  /** Forgets a pod: its record `tenant/cluster/uid` was removed from the topic. */
  remove(key: string): void {
    const entry = this.#all.get(key);
    if (entry === undefined) return;
    this.#version += 1;
    const [cluster, uid] = entry;
    const pod = cluster.byUid.get(uid);
    if (pod !== undefined) cluster.remove(pod);
    this.#all.delete(key);
    this.#gone.delete(key);
  }

  /** Forgets pods deleted longer ago than they are kept. `now` in milliseconds. */
  expire(now: number): void {
    for (const [key, [cluster, uid]] of this.#gone) {
      const deletedAt = cluster.byUid.get(uid)?.snapshot.deleted_at ?? 0;
      if (deletedAt + this.#keepMs > now) break;
      this.remove(key);
    }
  }

  /** Pods evicted at the bound since the last call, for `eyrie_bound_reached_total{bound="workload_pods"}`. */
  takeEvicted(): number {
    const evicted = this.#evicted;
    this.#evicted = 0;
    return evicted;
  }

  /** Whether an inventory has ever spoken for the cluster. */
  hasInventory(tenant: string, cluster: string): boolean {
    return this.#tenants.get(tenant)?.has(cluster) === true;
  }

  /** Whether the same names get the same answer at any time. */
  isSteady(subject: JoinSubject): boolean {
    const { tenant, cluster, container_id: id, pod_uid: uid } = subject;
    if (uid !== undefined || id === 'host') return true;
    const list = this.#tenants
      .get(tenant)
      ?.get(cluster)
      ?.byContainer.get(id ?? '');
    return list?.filter(({ pod }) => isPossible(pod, subject)).length === 1;
  }

  identify(subject: JoinSubject): Identity | undefined {
    return this.find(subject)?.identity;
  }

  /** The owner and place of an event as the inventory has it now, and how it was found. Never of another cluster. */
  find(subject: JoinSubject): Found | undefined {
    const cluster = this.#tenants.get(subject.tenant)?.get(subject.cluster);
    if (cluster === undefined) return undefined;
    const { container_id: id, pod_uid: uid } = subject;
    if (uid !== undefined) {
      const pod = cluster.byUid.get(uid);
      if (pod !== undefined) return { identity: identityIn(pod, id), by: 'pod_uid' };
      return undefined;
    }
    if (id === 'host') return undefined;
    if (id !== undefined) {
      const list = cluster.byContainer.get(id);
      const known = list === undefined ? undefined : chooseContainer(list, subject);
      if (known !== undefined) return { identity: known.identity, by: 'container_id' };
    }
    const { namespace, pod: name } = subject;
    if (namespace === undefined || name === undefined) return undefined;
    const pod = choosePod(cluster.byName.get(nameOf(namespace, name)), subject);
    return pod === undefined ? undefined : { identity: pod.identity, by: 'name' };
  }

  #open(tenant: string, name: string): ClusterPods {
    let clusters = this.#tenants.get(tenant);
    if (clusters === undefined) {
      clusters = new Map();
      this.#tenants.set(tenant, clusters);
    }
    let cluster = clusters.get(name);
    if (cluster === undefined) {
      cluster = new ClusterPods();
      clusters.set(name, cluster);
    }
    return cluster;
  }

  #bound(): void {
    while (this.#all.size > this.#podsMax) {
      const key = this.#gone.keys().next().value ?? this.#all.keys().next().value;
      if (key === undefined) return;
      this.remove(key);
      this.#evicted += 1;
    }
  }
}

function identityIn(pod: Pod, containerId: string | undefined): Identity {
  const known = containerId === undefined ? undefined : pod.containers.get(containerId);
  return known?.identity ?? pod.identity;
}

/** Of pods that share the 12 digits, the one on the event's host that lived then; none where more than one is left. */
function chooseContainer(list: readonly Known[], subject: JoinSubject): Known | undefined {
  const near = list.filter(({ pod }) => isPossible(pod, subject));
  if (near.length <= 1) return near[0];
  const alive = near.filter(({ pod }) => livesAt(pod, subject.time));
  return alive.length === 1 ? alive[0] : undefined;
}

function isPossible({ snapshot }: Pod, { host, namespace, pod }: JoinSubject): boolean {
  return (
    (host === undefined || snapshot.node === undefined || snapshot.node === host) &&
    (namespace === undefined || snapshot.namespace === namespace) &&
    (pod === undefined || snapshot.pod === pod)
  );
}

/**
 * Of pods that had the name one after the other, the one that lived then on that host, the latest start first. A pod
 * whose containers are known and do not include the event's may be the one before or after: no join.
 */
function choosePod(list: readonly Pod[] | undefined, subject: JoinSubject): Pod | undefined {
  let best: Pod | undefined;
  for (const pod of list ?? []) {
    if (!isPossible(pod, subject) || !livesAt(pod, subject.time)) continue;
    if (subject.container_id !== undefined && pod.containers.size > 0) continue;
    if (best === undefined || (pod.snapshot.started_at ?? 0) > (best.snapshot.started_at ?? 0)) best = pod;
  }
  return best;
}
