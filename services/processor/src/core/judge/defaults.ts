import type { JudgeOptions } from './types.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All options but the collaborators. */
export const DEFAULTS = {
  windowMs: HOUR,
  graceMs: 5 * MINUTE,
  intervalMs: 10 * MINUTE,
  breakThroughs: 20,
  stormLimit: 100,
  stormMs: HOUR,
  dismissalMs: 30 * DAY,
  closedMs: 30 * DAY,
  closedMax: 200_000,
  seenMin: 100_000,
  seenMs: HOUR,
  seenMax: 2_000_000,
  entitiesMax: 100_000,
  duePerInput: 64,
  duePerEvent: 2,
  onResolve: () => 'restart',
} as const satisfies Omit<JudgeOptions, 'score' | 'identify' | 'inventory' | 'hasInventory'>;
