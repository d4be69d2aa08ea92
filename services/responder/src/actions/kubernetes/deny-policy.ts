import { NetworkPolicy } from '../../core/kubernetes/network-policies.ts';
import type { EffectResult } from '../../core/owner/decision.ts';
import { type ClusterApi, refused } from './cluster-api.ts';

/** Set on a pod alone that is cut off; its value names the policy. */
export const QUARANTINE_LABEL = 'eyrie.dev/quarantine';
const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** The policy that lets nothing in or out of the one pod that carries its label. */
function denyPolicy(namespace: string, id: string): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: policyName(id), namespace, labels: { [MANAGED_BY]: 'eyrie', [QUARANTINE_LABEL]: id } },
    spec: { podSelector: { matchLabels: { [QUARANTINE_LABEL]: id } }, policyTypes: ['Ingress', 'Egress'] },
  };
}

function policyName(id: string): string {
  return `eyrie-quarantine-${id}`;
}

/** Makes sure it is there. Undefined when it is; one of that name which is not ours is never overwritten. */
export async function putDenyPolicy(
  api: ClusterApi,
  namespace: string,
  id: string,
  isDry: boolean,
): Promise<EffectResult | undefined> {
  const path = ['apis', 'networking.k8s.io', 'v1', 'namespaces', namespace, 'networkpolicies'];
  const made = await api.change({
    method: 'POST',
    path,
    ...(isDry && { query: { dryRun: 'All' } }),
    body: denyPolicy(namespace, id),
  });
  if (made.kind === 'result') return made.result;
  if (made.answer.status === 201) return undefined;
  if (made.answer.status !== 409) return refused(made.answer);
  const looked = await api.look({ method: 'GET', path: [...path, policyName(id)] });
  if (looked.kind === 'result') return looked.result;
  if (isOurs(looked.answer.body, id)) return undefined;
  return { kind: 'denied', reason: 'foreign_policy', detail: `${policyName(id)} is there and not ours` };
}

/** Takes it away where it is ours. Undefined when it is gone. */
export async function dropDenyPolicy(
  api: ClusterApi,
  namespace: string,
  id: string,
): Promise<EffectResult | undefined> {
  const name = policyName(id);
  const path = ['apis', 'networking.k8s.io', 'v1', 'namespaces', namespace, 'networkpolicies', name];
  const looked = await api.look({ method: 'GET', path });
  if (looked.kind === 'result') return looked.result;
  if (looked.answer.status === 404) return undefined;
  if (looked.answer.status !== 200) return refused(looked.answer);
  if (!isOurs(looked.answer.body, id)) {
    return { kind: 'denied', reason: 'foreign_policy', detail: `${name} is there and not ours` };
  }
  const { uid } = (looked.answer.body as { readonly metadata: { readonly uid: string } }).metadata;
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
  const ended = await api.change({ method: 'DELETE', path, body });
  if (ended.kind === 'result') return ended.result;
  const { answer } = ended;
  return (answer.status >= 200 && answer.status < 300) || answer.status === 404 ? undefined : refused(answer);
}

function isOurs(body: unknown, id: string): boolean {
  const parsed = NetworkPolicy.safeParse(body);
  if (!parsed.success) return false;
  const { labels } = parsed.data.metadata;
  return labels[MANAGED_BY] === 'eyrie' && labels[QUARANTINE_LABEL] === id;
}

/** The policies of a namespace; a namespace with more pages than are read cannot be judged. */
export async function networkPolicies(
  api: ClusterApi,
  namespace: string,
): Promise<
  | { readonly kind: 'policies'; readonly policies: readonly NetworkPolicy[] }
  | { readonly kind: 'result'; readonly result: EffectResult }
> {
  const policies: NetworkPolicy[] = [];
  let next = '';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const looked = await api.look({
      method: 'GET',
      path: ['apis', 'networking.k8s.io', 'v1', 'namespaces', namespace, 'networkpolicies'],
      query: { limit: '100', ...(next !== '' && { continue: next }) },
    });
    if (looked.kind === 'result') return looked;
    if (looked.answer.status !== 200) return { kind: 'result', result: refused(looked.answer) };
    const { items, metadata } = looked.answer.body as {
      readonly items?: readonly unknown[];
      readonly metadata?: { readonly continue?: string };
    };
    for (const item of items ?? []) {
      const parsed = NetworkPolicy.safeParse(item);
      if (!parsed.success) return unreadable(namespace);
      policies.push(parsed.data);
    }
    next = metadata?.continue ?? '';
    if (next === '') return { kind: 'policies', policies };
  }
  return unreadable(namespace);
}

const PAGES_MAX = 50;

function unreadable(namespace: string): { readonly kind: 'result'; readonly result: EffectResult } {
  const detail = `the network policies of ${namespace} cannot be read whole`;
  return { kind: 'result', result: { kind: 'denied', reason: 'unreadable', detail } };
}
