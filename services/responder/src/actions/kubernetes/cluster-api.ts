import { type Connections, clusterKey } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { callKubernetes, type KubernetesAnswer, type KubernetesRequest } from '@eyrie/platform/kubernetes';
import type { Call, EffectResult } from '../../core/owner/decision.ts';
import { failedRequest } from '../answers.ts';

type Asked = Omit<KubernetesRequest, 'timeoutMs' | 'signal'>;
type Answered =
  | { readonly kind: 'answer'; readonly answer: KubernetesAnswer }
  | { readonly kind: 'result'; readonly result: EffectResult };

/** The API server of the cluster a call is about. */
export interface ClusterApi {
  /** Changes nothing: without an answer it is asked again. */
  look(asked: Asked): Promise<Answered>;
  /** Without an answer it may have had its effect. */
  change(asked: Asked): Promise<Answered>;
}

export const NO_CLUSTER: EffectResult = {
  kind: 'denied',
  reason: 'no_connection',
  detail: 'EYRIE_CONNECTIONS_FILE names no API server for this cluster',
};

export function clusterApi(
  { clusters }: Connections,
  http: HttpClient,
  { plan, action }: Call,
  signal: AbortSignal,
): ClusterApi | undefined {
  const target = clusters.get(clusterKey(plan.tenant, plan.cluster));
  if (target === undefined) return undefined;
  const ask = async (asked: Asked): Promise<Answered> => {
    try {
      const answer = await callKubernetes(http, target, { ...asked, timeoutMs: action.timeoutMs, signal });
      return { kind: 'answer', answer };
    } catch (error) {
      return { kind: 'result', result: failedRequest(error) };
    }
  };
  return {
    change: ask,
    look: async (asked) => {
      const answered = await ask(asked);
      if (answered.kind === 'answer' || answered.result.kind !== 'ambiguous') return answered;
      const { reason, detail } = answered.result;
      return { kind: 'result', result: { kind: 'retry', reason, ...(detail !== undefined && { detail }) } };
    },
  };
}

/** What a refusal means that the action has no meaning of its own for. The server's message names verb and resource. */
export function refused({ status, message, retryAfterMs }: KubernetesAnswer): EffectResult {
  const detail = `HTTP ${status}: ${message}`;
  const after = retryAfterMs === undefined ? {} : { afterMs: retryAfterMs };
  if (status === 403) return { kind: 'denied', reason: 'forbidden', detail };
  // A token that was renewed a moment late.
  if (status === 401) return { kind: 'retry', reason: 'http_4xx', detail };
  if (status === 429) return { kind: 'retry', reason: 'http_429', detail, ...after };
  if (status >= 500) return { kind: 'retry', reason: 'http_5xx', detail, ...after };
  return { kind: 'failed', reason: 'http_4xx', detail };
}
