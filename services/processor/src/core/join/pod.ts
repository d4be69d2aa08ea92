import type { ContainerSnapshot, Identity, WorkloadSnapshot } from '@eyrie/schemas';
import type { Words } from '../words.ts';
import type { Known, Pod } from './cluster-pods.ts';

/** Containers remembered of a pod, those before restarts included. */
const CONTAINERS_MAX = 32;
const ID_DIGITS = 12;

/** A snapshot made ready for look-ups: an event that joins gets an identity made once, of words that pods share. */
export function podOf(snapshot: WorkloadSnapshot, before: Pod | undefined, words: Words): Pod {
  const base: Identity = {
    namespace: words.of(snapshot.namespace),
    workload_kind: words.of(snapshot.owner.kind),
    workload: words.of(snapshot.owner.name),
    pod: snapshot.pod,
    pod_uid: snapshot.uid,
    ...(snapshot.node !== undefined && { node: words.of(snapshot.node) }),
  };
  const containers = new Map<string, Known>();
  const pod: Pod = { snapshot, identity: base, containers };
  // A restarted container has another id; late events still name the old one.
  for (const [id, { identity }] of before?.containers ?? []) containers.set(id, { pod, identity });
  for (const container of snapshot.containers) {
    if (container.id === undefined) continue;
    const id = container.id.slice(0, ID_DIGITS);
    containers.delete(id);
    containers.set(id, { pod, identity: { ...base, ...ofContainer(container, id, words) } });
  }
  for (const id of containers.keys()) {
    if (containers.size <= CONTAINERS_MAX) break;
    containers.delete(id);
  }
  return pod;
}

function ofContainer({ name, image, tag, digest }: ContainerSnapshot, id: string, words: Words): Identity {
  return {
    container: words.of(name),
    container_id: id,
    image: words.of(image),
    ...(tag !== undefined && { image_tag: words.of(tag) }),
    ...(digest !== undefined && { image_digest: words.of(digest) }),
  };
}
