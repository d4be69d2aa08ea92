import { createHash } from 'node:crypto';
import type { ActionRequest } from '@eyrie/schemas';
import type { CompiledRule } from '../rules/compiled.ts';
import type { OwnerState, Window } from './state.ts';

/** Begins the keys of windows that count towards a threshold. */
export const THRESHOLD = 'threshold/';

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
  // Text of attackers: of any length, so only its hash is kept.
  const counted = createHash('sha256')
    .update(JSON.stringify([cluster, ...values]))
    .digest('hex')
    .slice(0, 32);
  const key = `${THRESHOLD}${wetness}/${tenant}/${id}/${counted}`;
  const times = (state.windows.get(key)?.times ?? []).filter((time) => time > now - windowMs);
  if (times.length + 1 >= count) return { kind: 'reached' };
  return { kind: 'below', window: [key, { times: [...times, now], expires_at: now + windowMs }] };
}
