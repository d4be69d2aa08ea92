import type { EffectResult } from '../../core/owner/decision.ts';
import { type ClusterApi, refused } from './cluster-api.ts';
import type { Pod } from './pod.ts';

/** Null takes away. */
export type Values = Readonly<Record<string, string | null>>;

/** One change, of this very state of this very pod. Undefined when it is done. */
export async function patchPod(
  api: ClusterApi,
  { metadata: { name, namespace, uid, resourceVersion } }: Pod,
  change: { readonly labels?: Values; readonly annotations?: Values },
  isDry: boolean,
): Promise<EffectResult | undefined> {
  const changed = await api.change({
    method: 'PATCH',
    path: ['api', 'v1', 'namespaces', namespace, 'pods', name],
    ...(isDry && { query: { dryRun: 'All' } }),
    contentType: 'application/merge-patch+json',
    // Another uid is refused: the pod was made anew meanwhile.
    body: { metadata: { uid, resourceVersion, ...change } },
  });
  if (changed.kind === 'result') return changed.result;
  const { answer } = changed;
  if (answer.status === 200) return undefined;
  if (answer.status === 404) return { kind: 'denied', reason: 'target_gone', detail: answer.message };
  // Somebody changed it since the look: looked at again.
  if (answer.status === 409) return { kind: 'retry', reason: 'http_4xx', isOwn: true, detail: answer.message };
  if (answer.status === 422 && /metadata\.uid/.test(answer.message)) {
    return { kind: 'denied', reason: 'other_pod', detail: answer.message };
  }
  return refused(answer);
}
