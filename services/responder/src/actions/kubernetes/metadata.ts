import { z } from 'zod';
import { type Action, problemsOf } from '../action.ts';
import { clusterApi, NO_CLUSTER, refused } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { freshPod } from './fresh-pod.ts';

const PREFIX = '(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?';
const KEY = new RegExp(`^${PREFIX}[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`);
const key = z.string().regex(KEY, 'must be a name of Kubernetes, such as eyrie.dev/suspect');
const labelValue = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    'must be at most 63 of A-Z, a-z, 0-9, "-", "_", "."',
  );
const some = (written: object) => Object.keys(written).length > 0;

const Labels = z.strictObject({
  labels: z.record(key, labelValue.nullable()).refine(some, 'must name at least one'),
});
const Annotations = z.strictObject({
  annotations: z.record(key, z.string().max(4_096).nullable()).refine(some, 'must name at least one'),
});

/** Sets labels of the pod of the event, or takes them away with null. */
export function kubernetesLabel(deps: KubernetesDeps): Action {
  return metadataAction(deps, 'Sets or takes away labels of the pod of the event.', Labels, ({ labels }) => ({
    labels,
  }));
}

/** Sets annotations of the pod of the event, or takes them away with null. */
export function kubernetesAnnotate(deps: KubernetesDeps): Action {
  const summary = 'Sets or takes away annotations of the pod of the event.';
  return metadataAction(deps, summary, Annotations, ({ annotations }) => ({ annotations }));
}

function metadataAction<P extends Record<string, unknown>>(
  deps: KubernetesDeps,
  summary: string,
  schema: z.ZodType<P>,
  change: (parameters: P) => object,
): Action {
  return {
    summary,
    class: 2,
    parameters: schema,
    ...TIMES,
    rbac: [{ group: '', resource: 'pods', verbs: ['get', 'patch'] }],
    check: (written) => {
      const parsed = schema.safeParse(written);
      const problems = [...requireCluster(deps), ...(parsed.success ? [] : problemsOf(parsed.error))];
      if (!parsed.success || problems.length > 0) return { ok: false, problems };
      return { ok: true, class: 2, parameters: parsed.data, lane: CLUSTER_LANE };
    },
    run: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return NO_CLUSTER;
      const found = await freshPod(api, call, deps.policy);
      if (found.kind === 'result') return found.result;
      const { name, namespace, uid } = found.pod.metadata;
      const changed = await api.change({
        method: 'PATCH',
        path: ['api', 'v1', 'namespaces', namespace, 'pods', name],
        ...(call.dry && { query: { dryRun: 'All' } }),
        contentType: 'application/merge-patch+json',
        // Another uid is refused: the pod was made anew meanwhile.
        body: { metadata: { uid, ...change(schema.parse(call.action.parameters)) } },
      });
      if (changed.kind === 'result') return changed.result;
      const { answer } = changed;
      if (answer.status === 200) return { kind: 'succeeded', detail: `${namespace}/${name} ${uid}` };
      if (answer.status === 404) return { kind: 'denied', reason: 'target_gone', detail: answer.message };
      if (answer.status === 422 && /metadata\.uid/.test(answer.message)) {
        return { kind: 'denied', reason: 'other_pod', detail: answer.message };
      }
      return refused(answer);
    },
  };
}
