import type { ActionReason, ActionRequest } from '@eyrie/schemas';
import type { CompiledRule, LimitScope, ScopedLimit } from '../rules/compiled.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import type { OwnerState, Window } from './state.ts';

/** What breaks things obeys the limits of the policy too. */
const DISRUPTIVE = 3;

const REASONS: Readonly<Record<LimitScope, ActionReason>> = {
  rule: 'limit_rule',
  target: 'limit_target',
  workload: 'limit_workload',
  namespace: 'limit_namespace',
  node: 'limit_node',
  tenant: 'limit_tenant',
  global: 'limit_global',
};

/** The limits of one request: the first that is reached, or the windows as they are once it is counted. */
export type Counted =
  | { readonly kind: 'over'; readonly reason: ActionReason }
  | { readonly kind: 'within'; readonly windows: readonly (readonly [key: string, window: Window])[] };

/**
 * Sliding windows over the moments at which something was planned. All of a tenant's disruptive requests come to one partition;
 * the global limit is split among the partitions, so that together they never exceed it.
 */
export function countLimits(
  state: OwnerState,
  wetness: 'wet' | 'dry',
  rule: CompiledRule,
  request: ActionRequest,
  { policy }: RuleSet,
  { now, partitions }: { readonly now: number; readonly partitions: number },
): Counted {
  const limits = [...rule.limits, ...(rule.class >= DISRUPTIVE ? policy.limits : [])];
  const windows: (readonly [string, Window])[] = [];
  for (const limit of limits) {
    const key = windowKey(limit, wetness, request);
    const count = limit.scope === 'global' ? Math.max(1, Math.floor(limit.count / partitions)) : limit.count;
    const times = (state.windows.get(key)?.times ?? []).filter((time) => time > now - limit.windowMs);
    if (times.length >= count) return { kind: 'over', reason: REASONS[limit.scope] };
    windows.push([key, { times: [...times, now], expires_at: now + limit.windowMs }]);
  }
  return { kind: 'within', windows };
}

/** Rules first, then what all rules share: an empty name stands where a rule's would. */
function windowKey({ scope }: ScopedLimit, wetness: string, request: ActionRequest): string {
  const { tenant, cluster, rule_id: rule, target } = request;
  const field = (...names: readonly string[]) => textField(request, names);
  const ofRule = `${wetness}/${tenant}/${rule}`;
  const ofTenant = `${wetness}/${tenant}/`;
  switch (scope) {
    case 'rule':
      return ofRule;
    case 'target':
      return `${ofRule}/target/${cluster}/${target}`;
    case 'workload': {
      const name = field('workload');
      if (name === '') return `${ofRule}/target/${cluster}/${target}`;
      return `${ofRule}/workload/${cluster}/${field('namespace')}/${field('workload_kind')}/${name}`;
    }
    case 'namespace':
      return `${ofTenant}/namespace/${cluster}/${field('namespace', 'k8s.ns.name')}`;
    case 'node':
      return `${ofTenant}/node/${cluster}/${field('host', 'node')}`;
    case 'tenant':
      return `${ofTenant}/tenant`;
    case 'global':
      return `${wetness}///global`;
  }
}

function textField({ context }: ActionRequest, names: readonly string[]): string {
  for (const name of names) {
    const value = Object.hasOwn(context.fields, name) ? context.fields[name] : undefined;
    if (value !== undefined && value !== '') return String(value);
  }
  return '';
}
