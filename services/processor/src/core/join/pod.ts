import type { ContainerSnapshot, Identity, WorkloadSnapshot } from '@eyrie/schemas';
import type { Known, Pod } from './cluster-pods.ts';

/** Containers remembered of a pod, those before restarts included. */
const CONTAINERS_MAX = 32;
const ID_DIGITS = 12;

/** A snapshot made ready for look-ups: an event that joins gets an identity made once. */
export function podOf(snapshot: WorkloadSnapshot, before: Pod | undefined): Pod {
  const base: Identity = {
    namespace: snapshot.namespace,
    workload_kind: snapshot.owner.kind,
    workload: snapshot.owner.name,
    pod: snapshot.pod,
    pod_uid: snapshot.uid,
    ...(snapshot.node !== undefined && { node: snapshot.node }),
  };
  const containers = new Map<string, Known>();
  const pod: Pod = { snapshot, identity: base, containers };
  // A restarted container has another id; late events still name the old one.
  for (const [id, { identity }] of before?.containers ?? []) containers.set(id, { pod, identity });
  for (const container of snapshot.containers) {
    if (container.id === undefined) continue;
    const id = container.id.slice(0, ID_DIGITS);
    containers.delete(id);
    containers.set(id, { pod, identity: { ...base, ...ofContainer(container, id) } });
  }
  for (const id of containers.keys()) {
    if (containers.size <= CONTAINERS_MAX) break;
    containers.delete(id);
  }
  return pod;
}

function ofContainer({ name, image, tag, digest }: ContainerSnapshot, id: string): Identity {
  return {
    container: name,
    container_id: id,
    image,
    ...(tag !== undefined && { image_tag: tag }),
    ...(digest !== undefined && { image_digest: digest }),
  };
}
