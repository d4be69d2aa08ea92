import { z } from 'zod';
import type { EffectResult } from '../../core/owner/decision.ts';
import { type Action, problemsOf } from '../action.ts';
import { type ClusterApi, clusterApi, NO_CLUSTER, refused } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { freshPod } from './fresh-pod.ts';
import { controllerOf, type Pod } from './pod.ts';
import { MinReady, tooFewReady } from './ready.ts';

const Parameters = z.strictObject({
  method: z.enum(['evict', 'delete']).default('evict'),
  grace_period_seconds: z.number().int().min(0).max(3_600).exactOptional(),
  min_ready: MinReady.exactOptional(),
  standalone: z.enum(['deny', 'allow']).default('deny'),
});
type Parameters = z.output<typeof Parameters>;

/** Without a word of the server: how long a refused eviction waits. */
const BUDGET_WAIT_MS = 10_000;

/**
 * Ends the pod of the event, and no other: the request carries the uid that was looked at, so a pod made anew under the
 * same name is never meant. An eviction honours disruption budgets, a deletion does not.
 */
export function kubernetesTerminate(deps: KubernetesDeps): Action {
  return {
    class: 3,
    parameters: Parameters,
    summary: 'Evicts or deletes the pod of the event, bound to its uid.',
    ...TIMES,
    rbac: [
      { group: '', resource: 'pods', verbs: ['get', 'delete'] },
      { group: '', resource: 'pods/eviction', verbs: ['create'] },
      { group: 'apps', resource: 'replicasets', verbs: ['get'] },
      { group: 'apps', resource: 'statefulsets', verbs: ['get'] },
    ],
    check: (written) => {
      const parsed = Parameters.safeParse(written);
      const problems = [...requireCluster(deps), ...(parsed.success ? [] : problemsOf(parsed.error))];
      if (!parsed.success || problems.length > 0) return { ok: false, problems };
      return { ok: true, class: 3, parameters: parsed.data, lane: CLUSTER_LANE };
    },
    run: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return NO_CLUSTER;
      const parameters = Parameters.parse(call.action.parameters);
      const found = await freshPod(api, call, deps.policy);
      if (found.kind === 'result') return found.result;
      const { pod } = found;
      if (pod.metadata.deletionTimestamp !== undefined) {
        return { kind: 'succeeded', reason: 'already_gone', detail: 'it is ending already' };
      }
      if (parameters.standalone === 'deny' && controllerOf(pod) === undefined) {
        return { kind: 'denied', reason: 'standalone', detail: 'nothing would start it again' };
      }
      const few = parameters.min_ready === undefined ? undefined : await tooFewReady(api, pod, parameters.min_ready);
      return few ?? end(api, pod, parameters, call.dry);
    },
  };
}

async function end(
  api: ClusterApi,
  { metadata: { namespace, name, uid } }: Pod,
  { method, grace_period_seconds: grace }: Parameters,
  isDry: boolean,
): Promise<EffectResult> {
  const path = ['api', 'v1', 'namespaces', namespace, 'pods', name];
  const options = {
    preconditions: { uid },
    ...(grace !== undefined && { gracePeriodSeconds: grace }),
    ...(isDry && { dryRun: ['All'] }),
  };
  const ended = await api.change(
    method === 'delete'
      ? { method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } }
      : {
          method: 'POST',
          path: [...path, 'eviction'],
          body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name }, deleteOptions: options },
        },
  );
  if (ended.kind === 'result') return ended.result;
  const { answer } = ended;
  const detail = `${method} ${namespace}/${name} ${uid}`;
  if (answer.status >= 200 && answer.status < 300) return { kind: 'succeeded', detail };
  if (answer.status === 404) return { kind: 'succeeded', reason: 'already_gone', detail };
  if (answer.status === 409) return { kind: 'denied', reason: 'other_pod', detail: answer.message };
  if (answer.status === 429 && /disruption budget/i.test(answer.message)) {
    const afterMs = answer.retryAfterMs ?? BUDGET_WAIT_MS;
    return { kind: 'retry', reason: 'disruption_budget', isOwn: true, afterMs, detail: answer.message };
  }
  return refused(answer);
}
