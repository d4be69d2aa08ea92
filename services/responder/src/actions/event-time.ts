import { isoOfNanos, type Nanos } from '@eyrie/schemas';
import type { Call } from '../core/owner/decision.ts';

/** ISO 8601: of the event, or of the match where only the alert is known. The same in every repeat. */
export function timeOf({ plan }: Call): string {
  const time = plan.todo?.context.fields['time'];
  return typeof time === 'string' && /^\d{19}$/.test(time)
    ? isoOfNanos(time as Nanos)
    : new Date(plan.at).toISOString();
}
