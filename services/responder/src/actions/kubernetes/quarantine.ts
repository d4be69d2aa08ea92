import { z } from 'zod';
import { allowing } from '../../core/kubernetes/network-policies.ts';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { type Action, problemsOf } from '../action.ts';
import { type ClusterApi, clusterApi, NO_CLUSTER, refused } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { networkPolicies, putDenyPolicy, QUARANTINE_LABEL } from './deny-policy.ts';
import { freshPod } from './fresh-pod.ts';
import { controllerOf, type Pod } from './pod.ts';

const Parameters = z.strictObject({
  leave_controller: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe('auto: labels are dropped, but for pods of a StatefulSet, whose name would stay taken.'),
});

/** The labels it had: what an undo gives back. */
const LABELS_BEFORE = 'eyrie.dev/labels-before';

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
    rbac: [
      { group: '', resource: 'pods', verbs: ['get', 'patch'] },
      { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: ['create', 'get', 'list'] },
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
  };
}

async function isolate(api: ClusterApi, pod: Pod, call: Call): Promise<EffectResult> {
  const id = call.intent.intent_key.slice(0, 16);
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
    const refusedLabels = await changeLabels(api, pod, after, call.dry);
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

/** One change, of this very state of this very pod. */
async function changeLabels(
  api: ClusterApi,
  { metadata: { name, namespace, uid, resourceVersion, labels, annotations } }: Pod,
  after: Readonly<Record<string, string>>,
  isDry: boolean,
): Promise<EffectResult | undefined> {
  const dropped = Object.keys(labels).filter((label) => !Object.hasOwn(after, label));
  const changed = await api.change({
    method: 'PATCH',
    path: ['api', 'v1', 'namespaces', namespace, 'pods', name],
    ...(isDry && { query: { dryRun: 'All' } }),
    contentType: 'application/merge-patch+json',
    body: {
      metadata: {
        uid,
        resourceVersion,
        labels: { ...Object.fromEntries(dropped.map((label) => [label, null])), ...after },
        // One that was cut off before keeps what it had at first.
        ...(annotations[LABELS_BEFORE] === undefined && { annotations: { [LABELS_BEFORE]: JSON.stringify(labels) } }),
      },
    },
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
