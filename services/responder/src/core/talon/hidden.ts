import type { RuleBlock } from './blocks.ts';
import type { MergedRule } from './merge.ts';
import { type PlacedText, problemAt, type TalonProblem } from './node.ts';

/** A rule before it that ends the evaluation keeps its events from this one; here it would act on them. */
export function refuseHidden(rule: RuleBlock, earlier: readonly MergedRule[], problems: TalonProblem[]): void {
  for (const { rule: before } of earlier) {
    if (before.continue?.text !== 'false' || !mayOverlap(before, rule)) continue;
    const { name } = before;
    const message = `"${name.text}" at ${name.place.file}:${name.place.line} (continue: false) keeps events from this rule in Talon, and would not here: write what it matches as \`unless\`, and take its \`continue: false\` away`;
    problems.push(problemAt(rule.name.place, message));
  }
}

function mayOverlap({ match: one }: RuleBlock, { match: other }: RuleBlock): boolean {
  const detections = other.rules.map(({ text }) => text);
  const sharesRules =
    one.rules.length === 0 || detections.length === 0 || one.rules.some(({ text }) => detections.includes(text));
  return (
    sharesRules &&
    (one.source === undefined || other.source === undefined || kindOf(one.source) === kindOf(other.source))
  );
}

/** Both words are one source here. */
function kindOf({ text }: PlacedText): string {
  return text === 'syscalls' ? 'syscall' : text;
}
