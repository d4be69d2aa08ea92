import { AppError } from '@eyrie/platform/errors';
import { EVENT_EXPRESSIONS, type StoredEvent, storedEvent } from '../core/simulate/stored-event.ts';
import { rowsOf, type Select, text } from './select.ts';

/** An alert's opening event, and what people said of the alert. */
export interface Opening extends StoredEvent {
  readonly openedAt: string;
  /** '' where nobody judged it. */
  readonly verdict: string;
}

/** @throws AppError EYRIE_USAGE where there is no such alert, or its event is no longer stored; what asking the tables throws */
export async function readOpening(select: Select, alertId: string): Promise<Opening> {
  const [alert] = await rowsOf(
    select,
    `SELECT tenant, opening_event_id, verdict, toString(opened_at) FROM eyrie.alerts WHERE alert_id = ${text(alertId)}`,
    1,
  );
  if (alert === undefined) throw new AppError('EYRIE_USAGE', `there is no alert ${alertId}`);
  const [tenant = '', eventId = '', verdict = '', openedAt = ''] = alert.map(String);
  const [row] = await rowsOf(
    select,
    `SELECT ${EVENT_EXPRESSIONS.join(', ')} FROM eyrie.events ` +
      `WHERE tenant = ${text(tenant)} AND event_id = ${text(eventId)} LIMIT 1`,
    1,
  );
  if (row === undefined) throw new AppError('EYRIE_USAGE', `the opening event of ${alertId} is no longer stored`);
  return { ...storedEvent(row), openedAt, verdict };
}
