import { isoOfNanos, type Nanos } from '@eyrie/schemas';
import type { SimulatedPod } from './fleet.ts';

export type Value = string | number | bigint | boolean | null;

/** One rule as the simulated sensor has it loaded. The text names its fields as `label=%field`. */
export interface SimulatedRule {
  readonly rule: string;
  readonly priority: string;
  readonly text: string;
  readonly tags: readonly string[];
  /** Label and field, in the order of the text. */
  readonly fields: readonly (readonly [label: string, field: string])[];
}

export interface Observation {
  readonly rule: SimulatedRule;
  readonly time: Nanos;
  readonly node: string;
  /** Absent for processes of the node itself. */
  readonly pod?: SimulatedPod;
  /** The sensor did not yet know the container: metadata is null. */
  readonly isEarly?: boolean;
  readonly values: Readonly<Record<string, Value>>;
}

const CONTAINER_FIELDS = [
  ['container_id', 'container.id'],
  ['container_name', 'container.name'],
  ['container_image_repository', 'container.image.repository'],
  ['container_image_tag', 'container.image.tag'],
  ['k8s_pod_name', 'k8s.pod.name'],
  ['k8s_ns_name', 'k8s.ns.name'],
] as const;

/** The line Falco 0.43 writes of an observation: keys in alphabetical order, whole nanoseconds, ISO times. */
export function falcoLine({ rule, time, node, pod, isEarly = false, values }: Observation): string {
  const labelled = [...rule.fields, ...CONTAINER_FIELDS];
  const known: Record<string, Value> = { ...containerValues(pod, isEarly), ...values };
  const text = labelled.map(([label, field]) => `${label}=${known[field] ?? '<NA>'}`).join(' ');
  const stamp = isoOfNanos(time).replace('Z', '+0000');
  const fields = [
    ...labelled.map(([, field]) => [field, known[field] ?? null] as const),
    ['evt.time.iso8601', BigInt(time)] as const,
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return object([
    ['hostname', node],
    ['output', `${stamp}: ${rule.priority} ${rule.text} | ${text}`],
    ['output_fields', fields],
    ['priority', rule.priority],
    ['rule', rule.rule],
    ['source', 'syscall'],
    ['tags', rule.tags],
    ['time', isoOfNanos(time)],
  ]);
}

function containerValues(pod: SimulatedPod | undefined, isEarly: boolean): Record<string, Value> {
  if (pod === undefined) return { 'container.id': 'host', 'container.name': 'host' };
  const id = { 'container.id': pod.containerId.slice(0, 12) };
  if (isEarly) return id;
  return {
    ...id,
    'container.name': pod.container,
    'container.image.repository': pod.image,
    'container.image.tag': pod.tag,
    'k8s.pod.name': pod.name,
    'k8s.ns.name': pod.namespace,
  };
}

type Entry = readonly [key: string, value: Value | readonly string[] | readonly (readonly [string, Value])[]];

/** JSON by hand: an integer of nanoseconds is more than a number of JavaScript holds. */
function object(entries: readonly Entry[]): string {
  return `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${json(value)}`).join(',')}}`;
}

function json(value: Entry[1]): string {
  if (typeof value === 'bigint') return value.toString();
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.every((item) => typeof item === 'string') ? JSON.stringify([...value].sort()) : object(value);
}
