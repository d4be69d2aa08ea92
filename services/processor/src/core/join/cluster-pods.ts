import { type Identity, msOfNanos, type Nanos, type WorkloadSnapshot } from '@eyrie/schemas';

/** A container a pod runs or ran, with the identity its events get. */
export interface Known {
  readonly pod: Pod;
  readonly identity: Identity;
}

export interface Pod {
  readonly snapshot: WorkloadSnapshot;
  /** What an event of the pod gets when its container is not known. */
  readonly identity: Identity;
  /** By the first 12 digits of the id: those it runs, and those it ran before a restart. */
  readonly containers: Map<string, Known>;
}

/** The pods of one cluster, by each name an event may know them by. */
export class ClusterPods {
  readonly byUid = new Map<string, Pod>();
  /** Ids are cut to 12 digits: pods of different nodes may share one. */
  readonly byContainer = new Map<string, Known[]>();
  /** `namespace/pod`: a StatefulSet gives the same name to one pod after the other. */
  readonly byName = new Map<string, Pod[]>();

  add(pod: Pod): void {
    const { snapshot } = pod;
    this.byUid.delete(snapshot.uid);
    this.byUid.set(snapshot.uid, pod);
    push(this.byName, nameOf(snapshot.namespace, snapshot.pod), pod);
    for (const [id, known] of pod.containers) push(this.byContainer, id, known);
  }

  remove(pod: Pod): void {
    const { snapshot } = pod;
    this.byUid.delete(snapshot.uid);
    drop(this.byName, nameOf(snapshot.namespace, snapshot.pod), (held) => held === pod);
    for (const id of pod.containers.keys()) drop(this.byContainer, id, (held) => held.pod === pod);
  }
}

export function nameOf(namespace: string, pod: string): string {
  return `${namespace}/${pod}`;
}

/** Sensor and API server have their own clocks. */
const CLOCKS_MS = 5_000;

/** Whether a pod was there at a time; what the inventory did not say speaks for it. */
export function livesAt({ snapshot }: Pod, time: Nanos): boolean {
  const at = msOfNanos(time);
  const { started_at, deleted_at } = snapshot;
  return (
    (started_at === undefined || started_at <= at + CLOCKS_MS) &&
    (deleted_at === undefined || at <= deleted_at + CLOCKS_MS)
  );
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function drop<T>(map: Map<string, T[]>, key: string, isGone: (value: T) => boolean): void {
  const rest = map.get(key)?.filter((value) => !isGone(value)) ?? [];
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
