import { isName } from './ids.ts';
import type { ContainerSnapshot, WorkloadSnapshot } from './workload.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Whether what was read from a topic is what an inventory says of a pod: others may write there. */
export function isWorkloadSnapshot(value: unknown): value is WorkloadSnapshot {
  if (!isObject(value)) return false;
  const { tenant, cluster, owner, containers, labels } = value;
  return (
    typeof tenant === 'string' &&
    isName(tenant) &&
    typeof cluster === 'string' &&
    isName(cluster) &&
    areTexts(value, 'uid', 'namespace', 'pod') &&
    areTextsIfThere(value, 'node', 'service_account') &&
    isObject(owner) &&
    areTexts(owner, 'kind', 'name') &&
    Array.isArray(containers) &&
    containers.every(isContainer) &&
    (labels === undefined || (isObject(labels) && areTexts(labels, ...Object.keys(labels)))) &&
    Number.isFinite(value['observed_at']) &&
    ['started_at', 'deleted_at'].every((name) => value[name] === undefined || Number.isFinite(value[name]))
  );
}

function isContainer(value: unknown): value is ContainerSnapshot {
  return (
    isObject(value) &&
    areTexts(value, 'name', 'image') &&
    areTextsIfThere(value, 'id', 'tag', 'digest') &&
    (value['privileged'] === undefined || typeof value['privileged'] === 'boolean')
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areTexts(value: Fields, ...names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === 'string');
}

function areTextsIfThere(value: Fields, ...names: readonly string[]): boolean {
  return names.every((name) => value[name] === undefined || typeof value[name] === 'string');
}
