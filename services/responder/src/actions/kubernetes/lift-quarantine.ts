import type { EffectResult } from '../../core/owner/decision.ts';
import { readObject } from '../../core/read-object.ts';
import type { ClusterApi } from './cluster-api.ts';
import { dropDenyPolicy, QUARANTINE_LABEL } from './deny-policy.ts';
import { patchPod } from './patch-pod.ts';
import { drifted, GONE, type PodToUndo } from './pod-to-undo.ts';

/** The labels it had: what an undo gives back. */
export const LABELS_BEFORE = 'eyrie.dev/labels-before';

const RETURNS = 'its ReplicaSet has another pod meanwhile and may delete either';

/**
 * Gives the pod its labels back and takes the policy away, in this order: without the label the policy selects nothing. A pod
 * whose quarantine label is no longer ours is left as it is; so is a label somebody set since.
 */
export async function liftQuarantine(api: ClusterApi, found: PodToUndo, id: string): Promise<EffectResult> {
  if (found.kind === 'result') return found.result;
  if (found.kind === 'gone') return (await dropDenyPolicy(api, found.namespace, id)) ?? GONE;
  const { pod } = found;
  const { labels, annotations, namespace } = pod.metadata;
  const live = labels[QUARANTINE_LABEL];
  // Lifted by an earlier try, or by a person.
  if (live === undefined && annotations[LABELS_BEFORE] === undefined) {
    return (await dropDenyPolicy(api, namespace, id)) ?? { kind: 'succeeded', detail: 'its label was gone already' };
  }
  if (live !== id) return drifted(`${QUARANTINE_LABEL} is ${live ?? 'gone'}, not ${id}`);
  const before = readLabels(annotations[LABELS_BEFORE]);
  if (before === undefined) return drifted(`${LABELS_BEFORE} cannot be read`);
  const missing = Object.entries(before).filter(([name]) => !Object.hasOwn(labels, name));
  const refused = await patchPod(
    api,
    pod,
    {
      labels: { ...Object.fromEntries(missing), [QUARANTINE_LABEL]: null },
      annotations: { [LABELS_BEFORE]: null },
    },
    false,
  );
  if (refused !== undefined) return refused;
  const left = await dropDenyPolicy(api, namespace, id);
  return left ?? { kind: 'succeeded', detail: missing.length === 0 ? '' : RETURNS };
}

function readLabels(text: string | undefined): Readonly<Record<string, string>> | undefined {
  const read = readObject(text ?? '');
  if (read === undefined) return undefined;
  const entries = Object.entries(read).filter(
    ([name, value]) => name !== QUARANTINE_LABEL && typeof value === 'string',
  );
  return Object.fromEntries(entries) as Record<string, string>;
}
