import { refuseHidden } from './hidden.ts';
import { mergeItems } from './merge.ts';
import type { TalonFlag, TalonNode, TalonProblem } from './node.ts';
import { readItems } from './read-items.ts';
import { translateRule, type WrittenRule } from './rule.ts';
import { Ids } from './words.ts';

export interface TalonImport {
  readonly imported: readonly ImportedRule[];
  readonly refused: readonly RefusedRule[];
  /** Templates that no rule uses: there is nothing to make of them. */
  readonly unused: readonly { readonly name: string; readonly file: string; readonly line: number }[];
}

export interface ImportedRule {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly flags: readonly TalonFlag[];
  readonly written: WrittenRule;
}

interface RefusedRule {
  /** Name of the rule; of an item without one, or of a whole file, none. */
  readonly name: string;
  readonly problems: readonly TalonProblem[];
}

/** Rules of Falco Talon as rules of ours, each with its flags, or why not. `files` in the order Talon is given them. */
export function importTalon(files: readonly TalonNode[], catalog: ReadonlySet<string>): TalonImport {
  const read = files.map(readItems);
  const templates = read.flatMap((one) => one.templates);
  const merged = mergeItems(
    templates,
    read.flatMap(({ rules }) => rules),
  );
  const used = new Set(merged.flatMap(({ rule }) => rule.actions.map(({ name }) => name.text)));
  const unused = templates.filter(({ name }) => name.text === '' || !used.has(name.text));
  const ids = new Ids('rule');
  const imported: ImportedRule[] = [];
  const refused: RefusedRule[] = read.flatMap(({ problems }) =>
    problems.map((problem) => ({ name: '', problems: [problem] })),
  );
  for (const { name, problems } of unused) {
    if (problems.length > 0) refused.push({ name: name.text, problems });
  }
  for (const [index, one] of merged.entries()) {
    const { rule } = one;
    const id = ids.of(rule.name.text);
    const flags = [...one.flags];
    const problems = [...rule.problems];
    refuseHidden(rule, merged.slice(0, index), problems);
    const written = translateRule(rule, id, catalog, flags, problems);
    const { file, line } = rule.name.place;
    if (problems.length > 0) refused.push({ name: rule.name.text, problems });
    else imported.push({ id, name: rule.name.text, file, line, flags, written });
  }
  const left = unused.filter(({ problems }) => problems.length === 0);
  return {
    imported,
    refused,
    unused: left.map(({ name: { text, place } }) => ({ name: text, file: place.file, line: place.line })),
  };
}
