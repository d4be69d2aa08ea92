import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import type { Policy } from '../../core/policy/policy.ts';
import type { Lane, Problem } from '../../core/rules/compiled.ts';

export interface KubernetesDeps {
  readonly connections: Connections;
  readonly http: HttpClient;
  readonly policy: Policy;
}

/** Whether it happened can be looked up, so it is repeated; what was not done five minutes later is not done at all. */
export const TIMES = {
  recovery: 'repeat',
  provable: true,
  timeoutMs: { standard: 10_000, maximum: 60_000 },
  deadlineMs: 300_000,
} as const;

export const CLUSTER_LANE: Lane = { name: 'kubernetes', max: 16, intervalMs: 0, perCluster: true };

/** Rules do not name a cluster: an action goes to that of the event. */
export function requireCluster({ connections }: KubernetesDeps): readonly Problem[] {
  if (connections.clusters.size > 0) return [];
  return [{ field: '', message: 'there is no cluster in EYRIE_CONNECTIONS_FILE (clusters: …)' }];
}
