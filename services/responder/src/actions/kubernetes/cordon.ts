import { z } from 'zod';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { type Action, problemsOf } from '../action.ts';
import { type ClusterApi, clusterApi, NO_CLUSTER, refused } from './cluster-api.ts';
import { CLUSTER_LANE, type KubernetesDeps, requireCluster, TIMES } from './common.ts';
import { drifted } from './pod-to-undo.ts';

const Parameters = z.strictObject({
  control_plane: z.enum(['deny', 'allow']).default('deny'),
});

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const Node = z.looseObject({
  metadata: z.looseObject({
    uid: z.string().min(1),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
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
    undoable: true,
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
      const found = await nodeAt(api, name);
      if (found.kind === 'result') return found.result;
      const { node } = found;
      const allowed = Parameters.parse(call.action.parameters).control_plane === 'allow';
      if (!allowed && Object.hasOwn(node.metadata.labels, CONTROL_PLANE)) {
        return { kind: 'denied', reason: 'protected_workload', detail: `${name} is of the control plane` };
      }
      const isOurs = node.metadata.annotations[MARK] === call.intent.intent_key;
      if (node.spec.unschedulable) {
        const detail = `${name} takes no pods already`;
        return isOurs ? { kind: 'succeeded', detail } : { kind: 'succeeded', reason: 'unchanged', detail };
      }
      const change = { annotations: { [MARK]: call.intent.intent_key } };
      const refusal = await setSchedulable(api, name, node, true, change, call.dry);
      return refusal ?? { kind: 'succeeded', detail: `${name} takes no more pods` };
    },
    undo: async (call, signal) => {
      const api = clusterApi(deps.connections, deps.http, call, signal);
      if (api === undefined) return { kind: 'failed', reason: 'no_connection' };
      const name = nodeOf(call);
      if (name === undefined) return { kind: 'failed', reason: 'no_node' };
      const found = await nodeAt(api, name);
      if (found.kind === 'result') return found.result;
      const { node } = found;
      const mark = node.metadata.annotations[MARK];
      if (!node.spec.unschedulable) return { kind: 'succeeded', reason: 'unchanged', detail: `${name} takes pods` };
      if (mark !== call.intent.intent_key) return drifted(`${name} is kept from pods by somebody else`);
      const refusal = await setSchedulable(api, name, node, null, { annotations: { [MARK]: null } }, false);
      return refusal ?? { kind: 'succeeded', detail: `${name} takes pods again` };
    },
  };
}

/** On a node we keep pods from, naming the intent: a cordon of a person is not ours to lift. */
const MARK = 'eyrie.dev/cordoned-by';

async function nodeAt(
  api: ClusterApi,
  name: string,
): Promise<
  { readonly kind: 'node'; readonly node: Node } | { readonly kind: 'result'; readonly result: EffectResult }
> {
  const looked = await api.look({ method: 'GET', path: ['api', 'v1', 'nodes', name] });
  if (looked.kind === 'result') return looked;
  const { answer } = looked;
  const result = (found: EffectResult) => ({ kind: 'result' as const, result: found });
  if (answer.status === 404) return result({ kind: 'denied', reason: 'no_node', detail: answer.message });
  if (answer.status !== 200) return result(refused(answer));
  const parsed = Node.safeParse(answer.body);
  if (parsed.success) return { kind: 'node', node: parsed.data };
  return result({ kind: 'denied', reason: 'unreadable', detail: 'the answer is no node' });
}

function nodeOf({ plan }: Call): string | undefined {
  const host = plan.todo?.context.fields['host'];
  return typeof host === 'string' && NAME.test(host) ? host : undefined;
}

/** Undefined when it is done. */
async function setSchedulable(
  api: ClusterApi,
  name: string,
  { metadata: { uid } }: Node,
  unschedulable: true | null,
  more: { readonly annotations: Readonly<Record<string, string | null>> },
  isDry: boolean,
): Promise<EffectResult | undefined> {
  const changed = await api.change({
    method: 'PATCH',
    path: ['api', 'v1', 'nodes', name],
    ...(isDry && { query: { dryRun: 'All' } }),
    contentType: 'application/merge-patch+json',
    // Another uid is refused: the node was made anew meanwhile.
    body: { metadata: { uid, ...more }, spec: { unschedulable } },
  });
  if (changed.kind === 'result') return changed.result;
  const { answer } = changed;
  if (answer.status === 200) return undefined;
  if (answer.status === 404) return { kind: 'denied', reason: 'no_node', detail: answer.message };
  return refused(answer);
}
