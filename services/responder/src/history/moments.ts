import type { Alert } from '@eyrie/schemas';
import { EVENT_EXPRESSIONS, storedEvent } from '../core/simulate/stored-event.ts';
import type { Moment } from '../simulation.ts';
import { readTimeline, type Span, type Timed, type Timeline } from './pages.ts';
import { oneOf, type Select } from './select.ts';

const EVENTS: Omit<Timeline, 'where'> = {
  table: 'eyrie.events',
  time: 'judged_at',
  ties: [
    { column: 'raw_partition', isText: false },
    { column: 'raw_offset', isText: false },
    { column: 'raw_index', isText: false },
    { column: 'event_id', isText: true },
  ],
  expressions: EVENT_EXPRESSIONS,
};
const ALERTS: Omit<Timeline, 'where'> = {
  table: 'eyrie.alert_versions',
  time: 'updated_at',
  ties: [
    { column: 'alert_id', isText: true },
    { column: 'version', isText: false },
  ],
  expressions: ['body'],
};

/**
 * What the judge wrote, moment by moment (milliseconds): versions of alerts and events by when they were written.
 * `detections`: no others are of interest; undefined: all are.
 */
export async function* readMoments(
  select: Select,
  span: Span,
  detections: readonly string[] | undefined,
): AsyncGenerator<Moment & { readonly at: number }> {
  const about = detections === undefined ? '1' : oneOf('rule', detections);
  const alerts = readTimeline(select, { ...ALERTS, where: about }, span);
  // Repeats and our own heartbeats belong to no alert, and no rule is held against them.
  const events = readTimeline(select, { ...EVENTS, where: `alert_id != '' AND ${about}` }, span);
  try {
    let [alert, event] = [await next(alerts), await next(events)];
    while (alert !== undefined || event !== undefined) {
      const at = Math.min(alert?.at ?? Number.POSITIVE_INFINITY, event?.at ?? Number.POSITIVE_INFINITY);
      const moment = { at, alerts: [] as Alert[], events: [] as ReturnType<typeof storedEvent>[] };
      for (; alert?.at === at; alert = await next(alerts))
        moment.alerts.push(JSON.parse(String(alert.row[0])) as Alert);
      for (; event?.at === at; event = await next(events)) moment.events.push(storedEvent(event.row));
      yield moment;
    }
  } finally {
    await Promise.all([alerts.return(undefined), events.return(undefined)]);
  }
}

async function next(rows: AsyncGenerator<Timed>): Promise<Timed | undefined> {
  const { value, done } = await rows.next();
  return done === true ? undefined : value;
}
