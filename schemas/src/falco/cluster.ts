import { type ClusterId, isName } from '../ids.ts';
import type { FalcoEvent, LineContext } from './event.ts';

/** Where sensors name their cluster: Falco's static fields first, then custom fields of Falco or falcosidekick. */
const CLAIMS = ['static.cluster', 'static.cluster_name', 'cluster', 'cluster_name', 'k8s.cluster.name'] as const;

export type ClusterChoice =
  | { readonly cluster: ClusterId; readonly claimed?: string }
  | { readonly code: 'cluster_missing' | 'cluster_invalid'; readonly message: string };

/** The token decides; only a token for every cluster (`*`) asks the event, then the header. */
export function chooseCluster(fields: FalcoEvent['output_fields'], context: LineContext): ClusterChoice {
  const claimed = claimOf(fields, context);
  if (context.cluster !== '*') {
    return claimed === undefined || claimed === context.cluster
      ? { cluster: context.cluster }
      : { cluster: context.cluster, claimed };
  }
  const named = claimed ?? context.header_cluster;
  if (named === undefined) {
    return { code: 'cluster_missing', message: 'the token is for every cluster and the event names none' };
  }
  return isName(named)
    ? { cluster: named as ClusterId }
    : { code: 'cluster_invalid', message: 'a cluster name has 1 to 63 of a-z, 0-9, ".", "_", "-"' };
}

/** The cluster that fields name, in the field that was set for it or in one of the usual ones. */
export function claimOf(
  fields: Readonly<Record<string, unknown>>,
  { cluster_field: own }: Pick<LineContext, 'cluster_field'>,
): string | undefined {
  const named = own === undefined ? undefined : nameIn(fields[own]);
  if (named !== undefined) return named;
  for (const name of CLAIMS) {
    const value = nameIn(fields[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

function nameIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== '<NA>' ? value : undefined;
}
