import { z } from 'zod';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { type Action, problemsOf } from '../action.ts';
import { type ClusterApi, clusterApi, NO_CLUSTER, refused } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';

const Parameters = z.strictObject({
  control_plane: z.enum(['deny', 'allow']).default('deny'),
});

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const Node = z.looseObject({
  metadata: z.looseObject({ uid: z.string().min(1), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z.looseObject({ unschedulable: z.boolean().default(false) }).prefault({}),
});
type Node = z.output<typeof Node>;

/** Keeps new pods off the node of the event; those that run there stay. */
export function kubernetesCordon(deps: KubernetesDeps): Action {
  return {
    summary: 'Keeps new pods off the node of the event; those that run there stay.',
    class: 2,
    parameters: Parameters,
    ...TIMES,
    rbac: [{ group: '', resource: 'nodes', verbs: ['get', 'patch'] }],
    check: (written) => {
      const parsed = Parameters.safeParse(written);
      const problems = [...requireCluster(deps), ...(parsed.success ? [] : problemsOf(parsed.error))];
      if (!parsed.success || problems.length > 0) return { ok: false, problems };
      return { ok: true, class: 2, parameters: parsed.data, lane: CLUSTER_LANE };
    },
    run: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return NO_CLUSTER;
      const name = nodeOf(call);
      if (name === undefined) return { kind: 'denied', reason: 'no_node', detail: 'the event names no node' };
      const looked = await api.look({ method: 'GET', path: ['api', 'v1', 'nodes', name] });
      if (looked.kind === 'result') return looked.result;
      if (looked.answer.status === 404) return { kind: 'denied', reason: 'no_node', detail: looked.answer.message };
      if (looked.answer.status !== 200) return refused(looked.answer);
      const parsed = Node.safeParse(looked.answer.body);
      if (!parsed.success) return { kind: 'denied', reason: 'unreadable', detail: 'the answer is no node' };
      const allowed = Parameters.parse(call.action.parameters).control_plane === 'allow';
      if (!allowed && Object.hasOwn(parsed.data.metadata.labels, CONTROL_PLANE)) {
        return { kind: 'denied', reason: 'protected_workload', detail: `${name} is of the control plane` };
      }
      if (parsed.data.spec.unschedulable) return { kind: 'succeeded', detail: `${name} takes no pods already` };
      return cordon(api, name, parsed.data, call.dry);
    },
  };
}

function nodeOf({ plan }: Call): string | undefined {
  const host = plan.todo?.context.fields['host'];
  return typeof host === 'string' && NAME.test(host) ? host : undefined;
}

async function cordon(api: ClusterApi, name: string, { metadata }: Node, isDry: boolean): Promise<EffectResult> {
  const changed = await api.change({
    method: 'PATCH',
    path: ['api', 'v1', 'nodes', name],
    ...(isDry && { query: { dryRun: 'All' } }),
    contentType: 'application/merge-patch+json',
    // Another uid is refused: the node was made anew meanwhile.
    body: { metadata: { uid: metadata.uid }, spec: { unschedulable: true } },
  });
  if (changed.kind === 'result') return changed.result;
  const { answer } = changed;
  if (answer.status === 200) return { kind: 'succeeded', detail: `${name} takes no more pods` };
  if (answer.status === 404) return { kind: 'denied', reason: 'no_node', detail: answer.message };
  return refused(answer);
}
