import type { ActionRequest } from '@eyrie/schemas';
import type { CompiledRule } from '../rules/compiled.ts';
import type { OwnerState, Window } from './state.ts';

type Reached =
  | { readonly kind: 'reached' }
  | { readonly kind: 'below'; readonly window: readonly [key: string, window: Window] };

/** Whether enough events came for the rule to act. Those before are counted and leave no plan. */
export function countThreshold(
  state: OwnerState,
  wetness: 'wet' | 'dry',
  { id, threshold }: CompiledRule,
  { tenant, cluster, target, alert_id: alertId, context }: ActionRequest,
  now: number,
): Reached {
  if (threshold === undefined) return { kind: 'reached' };
  const { by, count, windowMs } = threshold;
  const known: Readonly<Record<string, unknown>> = { ...context.fields, target, alert_id: alertId };
  const values = by.map((name) => (Object.hasOwn(known, name) ? String(known[name]) : ''));
  const key = `${wetness}/${tenant}/${id}/threshold/${JSON.stringify([cluster, ...values])}`;
  const times = (state.windows.get(key)?.times ?? []).filter((time) => time > now - windowMs);
  if (times.length + 1 >= count) return { kind: 'reached' };
  return { kind: 'below', window: [key, { times: [...times, now], expires_at: now + windowMs }] };
}
