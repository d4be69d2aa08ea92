import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { type ClusterApi, refused } from './cluster-api.ts';
import { namedPod } from './named-pod.ts';
import { Pod } from './pod.ts';

export type PodToUndo =
  | { readonly kind: 'pod'; readonly pod: Pod }
  /** It ended, or another one has its name: what was done to it went with it. */
  | { readonly kind: 'gone'; readonly namespace: string }
  | { readonly kind: 'result'; readonly result: EffectResult };

/** The pod something was done to. Asked less than before the deed: whose mark it carries is what decides. */
export async function podToUndo(api: ClusterApi, call: Call): Promise<PodToUndo> {
  const named = namedPod(call);
  if (named === undefined) return { kind: 'result', result: { kind: 'failed', reason: 'no_pod' } };
  const { namespace, pod: name, uid } = named;
  const looked = await api.look({ method: 'GET', path: ['api', 'v1', 'namespaces', namespace, 'pods', name] });
  if (looked.kind === 'result') return looked;
  if (looked.answer.status === 404) return { kind: 'gone', namespace };
  if (looked.answer.status !== 200) return { kind: 'result', result: refused(looked.answer) };
  const parsed = Pod.safeParse(looked.answer.body);
  if (!parsed.success) return { kind: 'result', result: { kind: 'failed', reason: 'unreadable' } };
  if (uid !== undefined && uid !== parsed.data.metadata.uid) return { kind: 'gone', namespace };
  return { kind: 'pod', pod: parsed.data };
}

export const GONE: EffectResult = { kind: 'succeeded', reason: 'already_gone', detail: 'the pod is gone' };

export function drifted(detail: string): EffectResult {
  return { kind: 'denied', reason: 'drifted', detail };
}
