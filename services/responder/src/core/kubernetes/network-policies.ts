import { z } from 'zod';

const Selector = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.looseObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) }))
    .default([]),
});
type Selector = z.output<typeof Selector>;

/** What of a NetworkPolicy decides whether a pod may talk. */
export const NetworkPolicy = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z
    .looseObject({
      podSelector: Selector.prefault({}),
      policyTypes: z.array(z.string()).optional(),
      ingress: z.array(z.unknown()).optional(),
      egress: z.array(z.unknown()).optional(),
    })
    .prefault({}),
});
export type NetworkPolicy = z.output<typeof NetworkPolicy>;

type Labels = Readonly<Record<string, string>>;

/**
 * Policies that select a pod with these labels and let something through: they are additive, so what one allows no other
 * takes back. An empty list of rules allows nothing; an empty rule allows all.
 */
export function allowing(policies: readonly NetworkPolicy[], labels: Labels): readonly NetworkPolicy[] {
  return policies.filter(({ spec }) => {
    if (!selects(spec.podSelector, labels)) return false;
    const types = spec.policyTypes ?? ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])];
    const ingress = types.includes('Ingress') && (spec.ingress?.length ?? 0) > 0;
    const egress = types.includes('Egress') && (spec.egress?.length ?? 0) > 0;
    return ingress || egress;
  });
}

/** An empty selector selects every pod of the namespace. An operator we do not know is taken to select: it might. */
function selects({ matchLabels, matchExpressions }: Selector, labels: Labels): boolean {
  const labelOf = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => labelOf(key) === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      const found = labelOf(key);
      switch (operator) {
        case 'In':
          return found !== undefined && values.includes(found);
        case 'NotIn':
          return found === undefined || !values.includes(found);
        case 'Exists':
          return found !== undefined;
        case 'DoesNotExist':
          return found === undefined;
        default:
          return true;
      }
    })
  );
}
