import { z } from 'zod';
import { type Action, problemsOf } from '../action.ts';
import { clusterApi, NO_CLUSTER } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { freshPod } from './fresh-pod.ts';
import { patchPod, type Values } from './patch-pod.ts';
import { drifted, GONE, podToUndo } from './pod-to-undo.ts';
import { beforeName, holds, readBefore, valuesOf } from './values-before.ts';

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
  const summary = 'Sets or takes away labels of the pod of the event.';
  return metadataAction(deps, summary, 'labels', Labels, ({ labels }) => labels);
}

/** Sets annotations of the pod of the event, or takes them away with null. */
export function kubernetesAnnotate(deps: KubernetesDeps): Action {
  const summary = 'Sets or takes away annotations of the pod of the event.';
  return metadataAction(deps, summary, 'annotations', Annotations, ({ annotations }) => annotations);
}

/** What was there before is left in an annotation by the same change, so that an undo knows it. */
function metadataAction<P extends Record<string, unknown>>(
  deps: KubernetesDeps,
  summary: string,
  kind: 'labels' | 'annotations',
  schema: z.ZodType<P>,
  wanted: (parameters: P) => Values,
): Action {
  const changeOf = (values: Values, mark: Values) =>
    kind === 'labels' ? { labels: values, annotations: mark } : { annotations: { ...values, ...mark } };
  return {
    summary,
    class: 2,
    parameters: schema,
    ...TIMES,
    undoable: true,
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
      const { metadata } = found.pod;
      const values = wanted(schema.parse(call.action.parameters));
      const mark = beforeName(call);
      const detail = `${metadata.namespace}/${metadata.name} ${metadata.uid}`;
      // Done by an earlier try, whose answer was lost.
      if (Object.hasOwn(metadata.annotations, mark)) return { kind: 'succeeded', detail };
      if (holds(metadata[kind], values)) return { kind: 'succeeded', reason: 'unchanged', detail };
      const before = { [mark]: JSON.stringify(valuesOf(metadata[kind], Object.keys(values))) };
      return (await patchPod(api, found.pod, changeOf(values, before), call.dry)) ?? { kind: 'succeeded', detail };
    },
    undo: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return { kind: 'failed', reason: 'no_connection' };
      const found = await podToUndo(api, call);
      if (found.kind !== 'pod') return found.kind === 'gone' ? GONE : found.result;
      const { metadata } = found.pod;
      const mark = beforeName(call);
      const written = metadata.annotations[mark];
      if (written === undefined) {
        // An earlier try took it back, and its answer was lost.
        if ((call.intent.undo?.attempt ?? 1) > 1) return { kind: 'succeeded', reason: 'unchanged' };
        return drifted(`its annotation ${mark} is gone`);
      }
      const before = readBefore(written);
      if (before === undefined) return drifted(`its annotation ${mark} cannot be read`);
      const values = wanted(schema.parse(call.action.parameters));
      if (!holds(metadata[kind], values)) return drifted('somebody set something else since');
      const known = Object.fromEntries(Object.keys(values).map((name) => [name, before[name] ?? null]));
      return (await patchPod(api, found.pod, changeOf(known, { [mark]: null }), false)) ?? { kind: 'succeeded' };
    },
  };
}
