import type { Call } from '../core/owner/decision.ts';
import type { FakeKubernetes, KubernetesObject } from './kubernetes-api.ts';

export const UID = '7f4f3a52-0d6c-4c0e-9a51-6a1c2f1d0001';
export const CONTAINER = '3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e';
export const POD_PATH = '/api/v1/namespaces/shop/pods/web-0';

/** A pod as the API server shows it. */
export function aPod({ metadata = {}, spec = {} }: { readonly metadata?: object; readonly spec?: object } = {}) {
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: 'web-0',
      namespace: 'shop',
      uid: UID,
      resourceVersion: '7',
      labels: { app: 'web', 'pod-template-hash': 'abc' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true }],
      ...metadata,
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'web' }], ...spec },
    status: { containerStatuses: [{ name: 'web', containerID: `containerd://${CONTAINER}` }] },
  } as unknown as KubernetesObject;
}

export function aReplicaSet(replicas: number, readyReplicas: number): KubernetesObject {
  const metadata = { name: 'web', namespace: 'shop', uid: 'rs', resourceVersion: '1' };
  return {
    kind: 'ReplicaSet',
    apiVersion: 'apps/v1',
    metadata,
    spec: { replicas },
    status: { replicas, readyReplicas },
  };
}

/** What the judge knows of an event in that pod. */
const EVENT_FIELDS: Readonly<Record<string, string>> = {
  namespace: 'shop',
  pod: 'web-0',
  pod_uid: UID,
  container_id: CONTAINER.slice(0, 12),
  host: 'node-1',
};

interface CallOptions {
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly attempt?: number;
  readonly dry?: boolean;
  readonly cluster?: string;
}

export function aCall(actionner: string, options: CallOptions = {}): Call {
  const { fields = {}, parameters = {}, attempt = 1, dry = false, cluster = 'lab' } = options;
  const intent = { intent_key: 'ab'.repeat(16), action: 'act', actionner, incarnation: 'i', attempt };
  const action = { action: 'act', actionner, parameters, timeoutMs: 1_000 };
  const known = Object.fromEntries(
    Object.entries({ ...EVENT_FIELDS, ...fields }).filter(([, value]) => value !== undefined),
  );
  const context = { rule: 'Shell', priority: 'Notice', summary: '', fields: known };
  const plan = { tenant: 'default', cluster, alert_id: 'cd'.repeat(16), target: UID, rule_id: 'r', at: 0 };
  return { plan: { ...plan, todo: { actions: [action], context } }, step: 0, intent, action, dry } as unknown as Call;
}

/** The requests that would have changed something. */
export function changes({ asked }: FakeKubernetes) {
  return asked.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/selfsubjectaccessreviews'));
}
