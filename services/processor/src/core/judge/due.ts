import { msOfNanos, type Nanos } from '@eyrie/schemas';
import type { Draft } from './draft.ts';
import type { Handle } from './handle.ts';
import { close, closesAt } from './opening.ts';
import type { AlertRecord } from './record.ts';
import { isOpen, type JudgeState } from './state.ts';

/** Whether something may be due for closing: cheap, and never wrong when it says no. */
export function isCloseDue(state: JudgeState, watermark: Nanos | ''): boolean {
  const first = state.closings.first();
  return first !== undefined && watermark !== '' && first.at <= msOfNanos(watermark);
}

/** Closes what the watermark has passed (rule 3), `max` at most. */
export function closeDue(draft: Draft, watermark: Nanos | '', max: number): void {
  if (watermark === '' || !isCloseDue(draft.state, watermark)) return;
  let closed = 0;
  for (const { item } of draft.state.closings.due(msOfNanos(watermark))) {
    const record = draft.look(item);
    if (!isOpen(record.alert) || watermark < closesAt(record, draft.options.graceMs)) continue;
    if (closed === max) {
      draft.more = true;
      return;
    }
    close(draft, draft.draw(item));
    closed += 1;
  }
}

/** Writes what grew and was not written for an interval (rule 3), or all that grew. */
export function updateDue(draft: Draft, all: boolean): void {
  let written = 0;
  for (const { item } of draft.state.updates.due(all ? Number.POSITIVE_INFINITY : draft.now)) {
    const record = draft.look(item);
    if (record.alert.count === record.writtenCount) continue;
    if (!all && draft.now < updatesAt(record, draft.options.intervalMs)) continue;
    if (written === draft.options.duePerInput) {
      draft.more = true;
      return;
    }
    draft.publishGrowth(draft.draw(item), record, 'interval', -1);
    written += 1;
  }
}

export function updatesAt({ alert }: AlertRecord, intervalMs: number): number {
  return alert.updated_at + intervalMs;
}

/** An alert that is open when its last silence ended is published and told (rule 8). */
export function endSilences(draft: Draft): void {
  const { state, documents, now } = draft;
  if (state.silenced.size === 0) return;
  const ended: Handle[] = [];
  for (const alertId of state.silenced) {
    const handle = state.alerts.get(alertId);
    if (handle === undefined) continue;
    const { alert, hidden } = handle.record;
    const list = documents.silences.get(alert.tenant) ?? [];
    const ids = hidden.silences ?? [];
    if (!list.some((held) => ids.includes(held.id) && held.starts_at <= now && now < held.ends_at)) ended.push(handle);
  }
  ended.sort((a, b) => (a.record.alert.alert_id < b.record.alert.alert_id ? -1 : 1));
  if (ended.length > draft.options.duePerInput) draft.more = true;
  for (const handle of ended.slice(0, draft.options.duePerInput)) {
    const draw = draft.draw(handle);
    const { silences: _, ...hidden } = draw.record.hidden;
    const next = draft.dispose({ ...draw.record, hidden });
    if (next.alert.disposition === 'suppressed') draft.replace(draw, next);
    else draft.publish(draw, { ...next, alert: { ...next.alert, notify: true } }, 'silence_ended');
  }
}

/** Puts closed alerts past joining into their compact form, and forgets those held long enough. */
export function leaveDue(draft: Draft, intake: number): void {
  const { state, options } = draft;
  let left = 0;
  for (const { item } of state.leavings.due(intake)) {
    if (state.alerts.get(item.record.alert.alert_id) !== item) continue;
    const record = draft.look(item);
    // What grew is written first: nothing leaves with a count nobody was told.
    if (isOpen(record.alert) || record.alert.count > record.writtenCount) continue;
    if (leavesAt(record, options.windowMs) > intake) continue;
    if (left === options.duePerInput) {
      draft.more = true;
      break;
    }
    draft.leaving.push(item);
    left += 1;
  }
  let excess = state.closed.size - options.closedMax;
  let forgotten = 0;
  for (const [alertId, { at }] of state.closed) {
    if (excess <= 0 && at + options.closedMs > intake) break;
    if (forgotten === options.duePerInput) {
      draft.more = true;
      break;
    }
    if (at + options.closedMs > intake) draft.bounds.push('judge_closed');
    draft.effects.push({ kind: 'forget', alertId });
    forgotten += 1;
    excess -= 1;
  }
}

/** Intake times of several raw partitions may lag behind each other: a second window passes before an alert leaves. */
export function leavesAt(record: AlertRecord, windowMs: number): number {
  return record.lastIntake + 2 * windowMs;
}
