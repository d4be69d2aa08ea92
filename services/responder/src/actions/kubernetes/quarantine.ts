import { z } from 'zod';
import { allowing } from '../../core/kubernetes/network-policies.ts';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { type Action, problemsOf } from '../action.ts';
import { type ClusterApi, clusterApi, NO_CLUSTER } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { networkPolicies, putDenyPolicy, QUARANTINE_LABEL } from './deny-policy.ts';
import { freshPod } from './fresh-pod.ts';
import { LABELS_BEFORE, liftQuarantine } from './lift-quarantine.ts';
import { patchPod } from './patch-pod.ts';
import { controllerOf, type Pod } from './pod.ts';
import { podToUndo } from './pod-to-undo.ts';

const Parameters = z.strictObject({
  leave_controller: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('auto: labels are dropped, but for pods of a StatefulSet, whose name would stay taken.'),
});

/**
 * Cuts the pod of the event off and keeps it for a look. The policy comes first and selects nothing; then one change gives the
 * pod its label and takes the others away, by which other policies, Services and its controller knew it. So there is no moment
 * in which it is less cut off than before. What still lets something through afterwards is named.
 */
export function kubernetesQuarantine(deps: KubernetesDeps): Action {
  return {
    summary: 'Cuts the pod of the event off the network and keeps it; says which policies still let something through.',
    class: 2,
    parameters: Parameters,
    ...TIMES,
    undoable: true,
    rbac: [
      { group: '', resource: 'pods', verbs: ['get', 'patch'] },
      { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['create', 'delete', 'get', 'list'] },
    ],
    check: (written) => {
      const parsed = Parameters.safeParse(written);
      const problems = [...requireCluster(deps), ...(parsed.success ? [] : problemsOf(parsed.error))];
      if (!parsed.success || problems.length > 0) return { ok: false, problems };
      return { ok: true, class: 2, parameters: parsed.data, lane: CLUSTER_LANE };
    },
    run: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return NO_CLUSTER;
      const found = await freshPod(api, call, deps.policy);
      if (found.kind === 'result') return found.result;
      const { pod } = found;
      if (pod.spec.hostNetwork) {
        return {
          kind: 'denied',
          reason: 'host_network',
          detail: 'no policy holds for a pod on the network of its node',
        };
      }
      return isolate(api, pod, call);
    },
    undo: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return { kind: 'failed', reason: 'no_connection' };
      return liftQuarantine(api, await podToUndo(api, call), quarantineId(call));
    },
  };
}

function quarantineId({ intent }: Call): string {
  return intent.intent_key.slice(0, 16);
}

async function isolate(api: ClusterApi, pod: Pod, call: Call): Promise<EffectResult> {
  const id = quarantineId(call);
  const { namespace, labels } = pod.metadata;
  // Who may not read them must find out before anything is changed.
  const readable = await networkPolicies(api, namespace);
  if (readable.kind === 'result') return readable.result;
  const refusedPolicy = await putDenyPolicy(api, namespace, id, call.dry);
  if (refusedPolicy !== undefined) return refusedPolicy;
  const { leave_controller: leave } = Parameters.parse(call.action.parameters);
  const keepsLabels = leave === 'never' || (leave === 'auto' && controllerOf(pod)?.kind === 'StatefulSet');
  const after = { ...(keepsLabels ? labels : {}), [QUARANTINE_LABEL]: id };
  if (labels[QUARANTINE_LABEL] !== id) {
    const refusedLabels = await patchPod(api, pod, changeOf(pod, after), call.dry);
    if (refusedLabels !== undefined) return refusedLabels;
  }
  const listed = await networkPolicies(api, namespace);
  if (listed.kind === 'result') {
    return { kind: 'succeeded', reason: 'partial', detail: `its policies could not be read afterwards; ${UNPROVEN}` };
  }
  const holes = allowing(listed.policies, after).map(({ metadata }) => metadata.name);
  if (holes.length === 0) return { kind: 'succeeded', detail: `policy eyrie-quarantine-${id}; ${UNPROVEN}` };
  return {
    kind: 'succeeded',
    reason: 'partial',
    detail: `still let through by ${holes.slice(0, 20).join(', ')}; ${UNPROVEN}`,
  };
}

/** What nobody can see from here. */
const UNPROVEN = 'not proven: that the network plugin enforces policies, that open connections are cut';

/** The labels that go and come, and what was there before. */
function changeOf({ metadata: { labels, annotations } }: Pod, after: Readonly<Record<string, string>>) {
  const dropped = Object.keys(labels).filter((label) => !Object.hasOwn(after, label));
  return {
    labels: { ...Object.fromEntries(dropped.map((label) => [label, null])), ...after },
    // One that was cut off before keeps what it had at first.
    ...(annotations[LABELS_BEFORE] === undefined && { annotations: { [LABELS_BEFORE]: JSON.stringify(labels) } }),
  };
}
