/** Falco's eight priorities, most severe first. */
export const PRIORITIES = [
  'Emergency',
  'Alert',
  'Critical',
  'Error',
  'Warning',
  'Notice',
  'Informational',
  'Debug',
] as const;

export type Priority = (typeof PRIORITIES)[number];

const RANK = new Map<string, number>(PRIORITIES.map((word, index) => [word, PRIORITIES.length - 1 - index]));
const BY_WORD = new Map<string, Priority>(PRIORITIES.map((word) => [word.toLowerCase(), word]));
BY_WORD.set('info', 'Informational');

/** 7 for Emergency down to 0 for Debug. */
export function priorityRank(priority: Priority): number {
  return RANK.get(priority) ?? 0;
}

/** Reads a priority in any case; Falco also writes `info`. Unknown words give undefined. */
export function parsePriority(word: string): Priority | undefined {
  return RANK.has(word) ? (word as Priority) : BY_WORD.get(word.toLowerCase());
}
