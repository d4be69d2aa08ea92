import { z } from 'zod';
import { Limit, persons } from './rule.ts';

/**
 * `policy` of a rule file: what no rule may loosen. One file of the directory may hold it; without one the defaults hold.
 */
const glob = z.string().regex(/^[A-Za-z0-9*?._-]{1,253}$/, 'must be a name, perhaps with * and ?');

const ProtectedWorkload = z
  .strictObject({
    owner_kind: z.string().min(1).max(64).exactOptional(),
    priority_class: glob.exactOptional(),
    labels: z.record(z.string().min(1).max(317), z.string().max(63)).exactOptional(),
  })
  .refine((one) => Object.keys(one).length > 0, 'must hold owner_kind, priority_class or labels')
  .describe('All that is named has to hold.');

const Limits = z.strictObject({
  global: Limit.exactOptional(),
  tenant: Limit.exactOptional(),
  namespace: Limit.exactOptional(),
  node: Limit.exactOptional(),
});

export const ResponsePolicy = z.strictObject({
  mode_ceiling: z
    .enum(['observe', 'dry_run', 'approve', 'enforce'])
    .default('enforce')
    .describe('No rule goes further; `observe` is the kill switch.'),
  authors: persons.default([]).describe('Persons who wrote it: their approval does not count for class 2 and above.'),
  protected: z
    .strictObject({
      namespaces: z
        .array(glob)
        .max(1_000)
        .default(['kube-system', 'kube-public', 'kube-node-lease', 'falco', 'eyrie', 'eyrie-*']),
      workloads: z
        .array(ProtectedWorkload)
        .max(1_000)
        .default([
          { labels: { 'eyrie.dev/protect': 'true' } },
          { owner_kind: 'DaemonSet' },
          { priority_class: 'system-*' },
        ]),
    })
    .prefault({})
    .describe('Where no action of class 2 and above goes.'),
  limits: z
    .strictObject({
      disruptive: Limits.prefault({ global: '20/1h', tenant: '10/1h', namespace: '3/10m', node: '3/1h' }),
    })
    .prefault({})
    .describe('Of actions of class 3 and above, all rules together.'),
  breaker: z
    .strictObject({ failures: Limit.prefault('5/10m') })
    .prefault({})
    .describe("After so many actions of class 2 and above that failed, a tenant's stop until somebody says go on."),
});
export type ResponsePolicy = z.output<typeof ResponsePolicy>;
