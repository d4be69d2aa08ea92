import { type Event, type Identity, LIMITS, type Nanos, type Target } from '@eyrie/schemas';
import { earlierOf, laterOf } from './moments.ts';
import { findTarget, isFull } from './record.ts';

export function targetKey(event: Pick<Event, 'cluster' | 'host' | 'container_id'>, identity: Identity): string {
  if (identity.pod_uid !== undefined) return identity.pod_uid;
  if (event.container_id !== undefined && event.container_id !== 'host') return event.container_id;
  return event.host === undefined ? `cluster:${event.cluster}` : `host:${event.host}`;
}

export function firstTarget(key: string, event: Event, identity: Identity): Target {
  const user = event.user_name;
  return {
    key,
    ...(identity.pod_uid !== undefined && { pod_uid: identity.pod_uid }),
    ...(identity.pod !== undefined && { pod: identity.pod }),
    ...(identity.namespace !== undefined && { namespace: identity.namespace }),
    ...(event.container_id !== undefined && { container_id: event.container_id }),
    ...(event.host !== undefined && { node: event.host }),
    ...(user !== undefined && { user }),
    first_seen: event.time,
    last_seen: event.time,
    count: 1,
  };
}

/** The target with one more event. */
export function countOn(target: Target, time: Nanos): Target {
  return {
    ...target,
    first_seen: earlierOf(target.first_seen, time),
    last_seen: laterOf(target.last_seen, time),
    count: target.count + 1,
  };
}

/** The user of an interactive session, undefined otherwise. */
export function interactiveUser(event: Event): string | undefined {
  if (event.tty === undefined || event.tty <= 0) return undefined;
  return event.user_name ?? (event.user_id === undefined ? undefined : `uid:${event.user_id}`);
}

/** Targets known by container id get the pod uid learned for it; where that target exists already the two become one. */
export function rekeyTargets(
  targets: readonly Target[],
  containerId: string | undefined,
  identity: Identity,
): readonly Target[] {
  const uid = identity.pod_uid;
  if (uid === undefined || containerId === undefined) return targets;
  const at = findTarget(targets, containerId);
  const old = targets[at];
  if (old === undefined) return targets;
  const other = targets[findTarget(targets, uid)];
  const renamed: Target = {
    ...old,
    key: uid,
    pod_uid: uid,
    ...(identity.pod !== undefined && { pod: identity.pod }),
    ...(identity.namespace !== undefined && { namespace: identity.namespace }),
  };
  const joined = other === undefined ? renamed : joinTargets(renamed, other);
  return targets.filter((target) => target !== other).map((target) => (target === old ? joined : target));
}

/** Targets of a merged alert pass over with the id their intents keep; their counts stay behind. */
export function passTargets(
  to: readonly Target[],
  from: readonly Target[],
  alertId: NonNullable<Target['alert_id']>,
): readonly Target[] {
  const targets = [...to];
  for (const target of from) {
    if (isFull(targets)) break;
    if (findTarget(targets, target.key) < 0)
      targets.push({ ...target, alert_id: target.alert_id ?? alertId, count: 0 });
  }
  return targets.slice(0, LIMITS.targets);
}

function joinTargets(a: Target, b: Target): Target {
  return {
    ...a,
    first_seen: earlierOf(a.first_seen, b.first_seen),
    last_seen: laterOf(a.last_seen, b.last_seen),
    count: a.count + b.count,
  };
}
