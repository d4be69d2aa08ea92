import { z } from 'zod';
import type { EffectResult } from '../../core/owner/decision.ts';
import { type ClusterApi, refused } from './cluster-api.ts';
import { controllerOf, type Pod } from './pod.ts';

/** `2` ready pods, or `50%` of those wanted, have to be left. */
export const MinReady = z
  .string()
  .regex(/^(?:\d{1,4}|\d{1,2}%|100%)$/, 'must be a number of pods such as "2", or a share such as "50%"');

const PLURALS: Readonly<Record<string, string>> = {
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
};
const Controller = z.looseObject({
  spec: z.looseObject({ replicas: z.number().int().default(1) }).prefault({}),
  status: z
    .looseObject({
      readyReplicas: z.number().int().default(0),
      numberReady: z.number().int().optional(),
      desiredNumberScheduled: z.number().int().optional(),
    })
    .prefault({}),
});

/** Undefined when enough pods stay ready without this one; otherwise why not. Who cannot be counted is not spared. */
export async function tooFewReady(api: ClusterApi, pod: Pod, minReady: string): Promise<EffectResult | undefined> {
  const owner = controllerOf(pod);
  const plural = owner === undefined ? undefined : PLURALS[owner.kind];
  if (owner === undefined || plural === undefined) {
    const detail = `${owner?.kind ?? 'a pod of its own'} has no count of ready pods`;
    return { kind: 'denied', reason: 'too_few_ready', detail };
  }
  const path = ['apis', 'apps', 'v1', 'namespaces', pod.metadata.namespace, plural, owner.name];
  const looked = await api.look({ method: 'GET', path });
  if (looked.kind === 'result') return looked.result;
  const { status: code, body } = looked.answer;
  if (code !== 200 && code !== 404) return refused(looked.answer);
  const parsed = Controller.safeParse(body);
  if (code === 404 || !parsed.success)
    return { kind: 'denied', reason: 'unreadable', detail: `${owner.kind} ${owner.name}` };
  const { spec, status } = parsed.data;
  const ready = status.numberReady ?? status.readyReplicas;
  const wanted = status.desiredNumberScheduled ?? spec.replicas;
  const least = minReady.endsWith('%') ? Math.ceil((Number(minReady.slice(0, -1)) / 100) * wanted) : Number(minReady);
  if (ready - 1 >= least) return undefined;
  const detail = `${owner.kind} ${owner.name} has ${ready} of ${wanted} ready; ${least} have to stay`;
  return { kind: 'denied', reason: 'too_few_ready', detail };
}
