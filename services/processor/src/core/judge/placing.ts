import { hash } from 'node:crypto';
import {
  type AlertId,
  type Event,
  type Fingerprint,
  FORMATS,
  type Identity,
  type TenantId,
  type WorkloadSnapshot,
} from '@eyrie/schemas';
import type { JudgeOptions, Subject } from './types.ts';

/** Where an event belongs, as far as it is known now. */
export interface Placed {
  readonly identity: Identity;
  /** Text of the workload identity inside the fingerprint. */
  readonly key: string;
  /** False while a stand-in takes the place of the owner or the container's name. */
  readonly isFinal: boolean;
  /** True when the stand-in belongs to one container or pod alone, so that an alias cannot mislead. */
  readonly isOwn: boolean;
  /** The container (or pod) by which an identity may be learned later. */
  readonly entity: string | undefined;
}

const SEP = '\u001f';

/** Name of the container or pod behind a subject; container ids hold only together with their host. */
export function entityOf(subject: Subject): string | undefined {
  if (subject.container_id !== undefined && subject.container_id !== 'host') {
    return `${subject.tenant}/${subject.cluster}/c/${subject.host ?? ''}/${subject.container_id}`;
  }
  return subject.pod_uid === undefined ? undefined : `${subject.tenant}/${subject.cluster}/p/${subject.pod_uid}`;
}

/** Main name under which an alert waits for its identity: without the host, which the inventory may not know. */
export function waitingName(subject: Subject): string {
  const isContainer = subject.container_id !== undefined && subject.container_id !== 'host';
  const id = isContainer ? `c/${subject.container_id}` : `p/${subject.pod_uid ?? ''}`;
  return `${subject.tenant}/${subject.cluster}/${id}`;
}

/** All names under which it waits: the inventory may know the pod and not yet its containers. */
export function waitingNames(subject: Subject): string[] {
  const { tenant, cluster, namespace, pod, pod_uid } = subject;
  const names = new Set([waitingName(subject)]);
  if (pod_uid !== undefined) names.add(`${tenant}/${cluster}/p/${pod_uid}`);
  if (namespace !== undefined && pod !== undefined) names.add(`${tenant}/${cluster}/n/${namespace}/${pod}`);
  return [...names];
}

/** The waiting names a workload snapshot may give an identity to. */
export function entitiesOf(snapshot: WorkloadSnapshot): string[] {
  const base = `${snapshot.tenant}/${snapshot.cluster}`;
  const names = [`${base}/p/${snapshot.uid}`, `${base}/n/${snapshot.namespace}/${snapshot.pod}`];
  for (const { id } of snapshot.containers) if (id !== undefined) names.push(`${base}/c/${id.slice(0, 12)}`);
  return names;
}

/** Joins what the inventory knows, what other events of the entity told (`known`) and what the event claims itself. */
export function place(
  subject: Subject,
  entity: string | undefined,
  known: Identity | undefined,
  options: JudgeOptions,
): Placed {
  const found = options.identify(subject);
  const base = found?.workload === undefined && known?.workload !== undefined ? known : found;
  const identity = compose(subject, base, known);
  const container = identity.container;
  if (identity.workload !== undefined) {
    const isFinal = container !== undefined || subject.container_id === undefined;
    const part = container ?? (isFinal ? '' : `#${entity}`);
    const key = `w${SEP}${identity.namespace ?? ''}${SEP}${identity.workload_kind ?? ''}${SEP}${identity.workload}${SEP}${part}`;
    return { identity, key, isFinal, isOwn: true, entity };
  }
  if (entity === undefined) {
    return { identity, key: `h${SEP}${subject.host ?? ''}`, isFinal: true, isOwn: false, entity };
  }
  if (
    container !== undefined &&
    identity.image !== undefined &&
    !options.hasInventory(subject.tenant, subject.cluster)
  ) {
    const key = `i${SEP}${subject.host ?? ''}${SEP}${container}${SEP}${identity.image}`;
    return { identity, key, isFinal: false, isOwn: false, entity };
  }
  return { identity, key: `e${SEP}${entity}`, isFinal: false, isOwn: true, entity };
}

/** True when an event of the entity told something `known` does not hold. */
export function addsTo(known: Identity | undefined, identity: Identity): boolean {
  if (known === undefined) {
    return identity.workload !== undefined || identity.container !== undefined || identity.image !== undefined;
  }
  if (
    identity.workload !== undefined &&
    (identity.workload !== known.workload || identity.namespace !== known.namespace)
  )
    return true;
  return (
    (known.container === undefined && identity.container !== undefined) ||
    (known.image === undefined && identity.image !== undefined)
  );
}

function compose(subject: Subject, base: Identity | undefined, known: Identity | undefined): Identity {
  const identity: { -readonly [K in keyof Identity]: Identity[K] } = { ...base };
  fill(identity, 'namespace', subject.namespace ?? known?.namespace);
  fill(identity, 'pod', subject.pod ?? known?.pod);
  fill(identity, 'pod_uid', subject.pod_uid ?? known?.pod_uid);
  fill(identity, 'node', subject.host);
  fill(identity, 'container', subject.container ?? known?.container);
  fill(identity, 'container_id', subject.container_id);
  fill(identity, 'image', subject.image ?? known?.image);
  return identity;
}

function fill<K extends keyof Identity>(
  identity: { -readonly [P in keyof Identity]: Identity[P] },
  field: K,
  value: Identity[K] | undefined,
): void {
  if (identity[field] === undefined && value !== undefined) identity[field] = value;
}

/** Routing key plus workload identity, versioned. */
export function fingerprintOf(routingKey: string, key: string): Fingerprint {
  const text = `${FORMATS.fingerprint}${SEP}${routingKey}${SEP}${key}`;
  const held = prints.get(text);
  if (held !== undefined) return held;
  if (prints.size >= PRINTS_MAX) prints.clear();
  const print = hash32(text) as Fingerprint;
  prints.set(text, print);
  return print;
}

// Hashes of the same few thousand texts again and again: a memo, not a state.
const prints = new Map<string, Fingerprint>();
const PRINTS_MAX = 100_000;

export function alertIdOf(tenant: TenantId, event: Event): AlertId {
  return hash32(`${tenant}${SEP}${event.event_id}`) as AlertId;
}

/** 128 bits of SHA-256 as 32 hex digits. */
export function hash32(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}
