import type { Nanos } from '@eyrie/schemas';
import type { Draw } from './draft.ts';
import { isOpen } from './state.ts';

/**
 * The window an event joins (rule 2): one that contains it forwards, the earliest anchor first; otherwise the nearest
 * anchor within one window after it; ties by alert_id. Nearest backwards is the smallest anchor too, so both pick the least.
 */
export function chooseWindow(draws: readonly Draw[], time: Nanos, intake: number, windowMs: number): Draw | undefined {
  let forward: Draw | undefined;
  let backward: Draw | undefined;
  for (const draw of draws) {
    const { record } = draw;
    if (!isJoinable(draw, intake, windowMs)) continue;
    if (time >= record.alert.opened_at) {
      if (time < record.end && isLess(draw, forward)) forward = draw;
    } else if (time >= record.from && isLess(draw, backward)) backward = draw;
  }
  return forward ?? backward;
}

/** Open alerts take events; closed ones for one window of intake time after their latest (rule 5); merged ones never. */
function isJoinable({ record, isCompact }: Draw, intake: number, windowMs: number): boolean {
  if (isCompact || record.isEnded || record.alert.state === 'merged') return false;
  return isOpen(record.alert) || intake - record.lastIntake <= windowMs;
}

function isLess({ record: { alert } }: Draw, best: Draw | undefined): boolean {
  if (best === undefined) return true;
  const other = best.record.alert;
  return alert.opened_at < other.opened_at || (alert.opened_at === other.opened_at && alert.alert_id < other.alert_id);
}
