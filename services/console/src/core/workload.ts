import type { ClusterId, TenantId, WorkloadSnapshot } from '@eyrie/schemas';
import { LIMITS } from '@eyrie/schemas';
import { WorkloadInput } from '@eyrie/schemas/api';

/** Checks one snapshot and gives it its tenant; text says what is wrong. */
export function readWorkload(
  value: unknown,
  from: { readonly tenant: TenantId; readonly cluster: ClusterId | '*'; readonly now: number },
): WorkloadSnapshot | string {
  const parsed = WorkloadInput.safeParse(value);
  if (!parsed.success) {
    return parsed.error.issues
      .map(({ path, message }) => `${path.map(String).join('/') || 'entry'}: ${message}`)
      .join('; ');
  }
  const { cluster: claimed, v: _, ...snapshot } = parsed.data;
  const cluster = from.cluster === '*' ? claimed : from.cluster;
  if (cluster === undefined) return 'cluster: is needed, the token is not bound to one';
  if (claimed !== undefined && claimed !== cluster) return `cluster: the token is bound to ${cluster}`;
  // A stamp from the future would outlive every true one.
  if (snapshot.observed_at > from.now + LIMITS.clockAheadMs) return 'observed_at: lies in the future';
  return { v: 1, tenant: from.tenant, cluster: cluster as ClusterId, ...snapshot };
}
