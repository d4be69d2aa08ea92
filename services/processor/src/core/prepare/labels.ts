import type { Habit, Labels } from './memo.ts';

const TECHNIQUE = /^T\d{4}(?:\.\d{3})?$/;
const TACTIC = 'mitre_';
const MATURITIES = new Map([
  ['maturity_stable', 'stable'],
  ['maturity_incubating', 'incubating'],
  ['maturity_sandbox', 'sandbox'],
] as const);

/** Tags and what they say of MITRE ATT&CK and the rule's maturity. A rule nearly always carries the same: remembered. */
export function labelsOf(tags: readonly string[] | undefined, habit: Habit): Labels {
  if (tags === undefined || tags.length === 0) return NO_LABELS;
  if (habit.labels === undefined || !isSame(habit.labels.written, tags)) {
    habit.labels = { written: tags, labels: readLabels(tags) };
  }
  return habit.labels.labels;
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

const NO_LABELS: Labels = {};

function readLabels(all: readonly string[]): Labels {
  // falcosidekick can add an empty tag.
  const tags = all.filter((tag) => tag !== '');
  const tactics = tags.filter((tag) => tag.startsWith(TACTIC)).map((tag) => tag.slice(TACTIC.length));
  const techniques = tags.filter((tag) => TECHNIQUE.test(tag));
  const maturity = tags.map((tag) => MATURITIES.get(tag as 'maturity_stable')).find((word) => word !== undefined);
  return {
    ...(tags.length > 0 && { tags }),
    ...(tactics.length > 0 && { tactics }),
    ...(techniques.length > 0 && { techniques }),
    ...(maturity !== undefined && { maturity }),
  };
}
