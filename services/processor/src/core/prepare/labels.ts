import type { Labels, Memos } from './memo.ts';

const TECHNIQUE = /^T\d{4}(?:\.\d{3})?$/;
const TACTIC = 'mitre_';
const MATURITIES = new Map([
  ['maturity_stable', 'stable'],
  ['maturity_incubating', 'incubating'],
  ['maturity_sandbox', 'sandbox'],
] as const);

/** Tags and what they say of MITRE ATT&CK and the rule's maturity. A rule always carries the same: remembered. */
export function labelsOf(tags: readonly string[] | undefined, memos: Memos): Labels {
  if (tags === undefined || tags.length === 0) return NO_LABELS;
  const key = tags.join('\u001f');
  return memos.labels.get(key) ?? memos.labels.set(key, readLabels(tags));
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
