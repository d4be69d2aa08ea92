import { REVERSIBLE } from '@eyrie/schemas/request-partition';
import type { PlannedAction } from '../rules/compiled.ts';

/**
 * Notices that a rule names before what it does in a cluster come right behind it: whoever is told may hang for hours. All else
 * keeps its order, also a notice that another action hangs on; what collects still runs before what breaks.
 */
export function noticesBehind(actions: readonly PlannedAction[]): readonly PlannedAction[] {
  const end = actions.findLastIndex((action) => action.class >= REVERSIBLE) + 1;
  const before = actions.slice(0, end);
  const isNotice = ({ class: level, asks, action }: PlannedAction) =>
    level === 0 && asks !== true && !before.some((other) => hangsOn(other, action));
  return [...before.filter((action) => !isNotice(action)), ...before.filter(isNotice), ...actions.slice(end)];
}

function hangsOn({ needs = [], when = '' }: PlannedAction, name: string): boolean {
  return needs.includes(name) || when.includes(`results.${name}.`);
}
