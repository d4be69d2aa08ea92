/** Tenant, cluster, namespace, kind and name of a workload as one text, and back. */
export function workloadKey(parts: readonly [unknown, unknown, unknown, unknown, unknown]): string {
  return JSON.stringify(parts.map((part) => String(part ?? '')));
}

export function workloadParts(key: string): {
  readonly tenant: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
} {
  const [tenant = '', cluster = '', namespace = '', kind = '', name = ''] = JSON.parse(key) as readonly string[];
  return { tenant, cluster, namespace, kind, name };
}
