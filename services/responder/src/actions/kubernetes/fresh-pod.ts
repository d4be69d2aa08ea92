import type { Call, EffectResult } from '../../core/owner/decision.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { type ClusterApi, refused } from './cluster-api.ts';
import { type NamedPod, namedPod } from './named-pod.ts';
import { controllerOf, hasContainer, Pod } from './pod.ts';

export type FreshPod =
  | { readonly kind: 'pod'; readonly pod: Pod }
  | { readonly kind: 'result'; readonly result: EffectResult };

/**
 * The pod of the event as the API server has it now, past every guard that asks who it is: it has the uid the inventory
 * knows, a container of the event runs in it, on the node the event came from, and nothing protects it. What cannot be read
 * is denied: a name alone is no proof, StatefulSets give it anew.
 */
export async function freshPod(api: ClusterApi, call: Call, policy: Policy): Promise<FreshPod> {
  const named = namedPod(call);
  if (named === undefined) return denied('no_pod', 'the event names no pod');
  const { namespace, pod: name } = named;
  if (policy.protectsNamespace(namespace)) return denied('protected_namespace', namespace);
  const looked = await api.look({ method: 'GET', path: ['api', 'v1', 'namespaces', namespace, 'pods', name] });
  if (looked.kind === 'result') return looked;
  const { answer } = looked;
  if (answer.status === 404) return gone(call, `${namespace}/${name} is not there`);
  if (answer.status !== 200) return { kind: 'result', result: refused(answer) };
  const parsed = Pod.safeParse(answer.body);
  if (!parsed.success) return denied('unreadable', `the answer is no pod: ${parsed.error.issues[0]?.message ?? ''}`);
  const pod = parsed.data;
  if (named.uid !== undefined && named.uid !== pod.metadata.uid) {
    const detail = `${namespace}/${name} is ${pod.metadata.uid} now, the event was of ${named.uid}`;
    return isLater(call) ? gone(call, detail) : denied('other_pod', detail);
  }
  const stranger = strangeness(pod, named);
  if (stranger !== undefined) return denied('event_not_of_this_pod', stranger);
  if (isProtected(pod, policy)) return denied('protected_workload', `${namespace}/${name}`);
  return { kind: 'pod', pod };
}

function denied(reason: Extract<EffectResult, { kind: 'denied' }>['reason'], detail: string): FreshPod {
  return { kind: 'result', result: { kind: 'denied', reason, detail } };
}

/** Once something was begun, gone is what was wanted; before it there is nothing to do. */
function gone(call: Call, detail: string): FreshPod {
  if (isLater(call)) return { kind: 'result', result: { kind: 'succeeded', reason: 'already_gone', detail } };
  return denied('target_gone', detail);
}

function isLater({ intent }: Call): boolean {
  return intent.attempt > 1;
}

/** Why the event cannot be of this pod, or cannot be shown to be. */
function strangeness(pod: Pod, { containerId, host, uid }: NamedPod): string | undefined {
  if (containerId === undefined && uid === undefined) return 'neither a container id nor a pod uid is known';
  if (containerId !== undefined && !hasContainer(pod, containerId)) return `no container ${containerId} in it`;
  if (host !== undefined && host !== pod.spec.nodeName)
    return `it runs on ${pod.spec.nodeName ?? 'no node'}, not ${host}`;
  return undefined;
}

function isProtected(pod: Pod, policy: Policy): boolean {
  const kind = controllerOf(pod)?.kind;
  return policy.protectsWorkload({
    namespace: pod.metadata.namespace,
    labels: pod.metadata.labels,
    ownerKinds: kind === undefined ? [] : [kind],
    priorityClass: pod.spec.priorityClassName,
  });
}
