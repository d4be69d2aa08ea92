import type { Call } from '../../core/owner/decision.ts';

/** The pod an event says it happened in: claims, to be held against the API server. */
export interface NamedPod {
  readonly namespace: string;
  readonly pod: string;
  /** From the inventory. */
  readonly uid?: string;
  /** Without `containerd://`; often the first 12 digits alone. */
  readonly containerId?: string;
  readonly host?: string;
}

const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** Undefined when the event names none. Names that no API server would take are none. */
export function namedPod({ plan }: Call): NamedPod | undefined {
  const fields = plan.todo?.context.fields ?? {};
  const text = (...names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (typeof value === 'string' && value !== '') return value;
    }
    return undefined;
  };
  const namespace = text('namespace', 'k8s.ns.name', 'k8smeta.ns.name');
  const pod = text('pod', 'k8s.pod.name', 'k8smeta.pod.name');
  if (namespace === undefined || pod === undefined || !NAMESPACE.test(namespace) || !NAME.test(pod)) return undefined;
  const uid = text('pod_uid', 'k8s.pod.uid', 'k8smeta.pod.uid');
  const containerId = text('container_id', 'container.id');
  const host = text('host');
  return {
    namespace,
    pod,
    ...(uid !== undefined && { uid }),
    ...(containerId !== undefined && containerId !== 'host' && { containerId }),
    ...(host !== undefined && { host }),
  };
}
