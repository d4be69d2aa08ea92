import { PRIORITIES, type Priority } from '@eyrie/schemas';
import { parsePriorityComparison, priorityCompares } from '../rules/comparisons.ts';
import type { Condition } from '../rules/conditions.ts';
import type { MatchBlock } from './blocks.ts';
import { type TranslatedItem, translateItem } from './conditions.ts';
import { flagAt, type Place, problemAt, type TalonFlag, type TalonProblem } from './node.ts';
import { listed } from './words.ts';

/** A match as our rule file writes it, and what its tests are made of. */
export interface TranslatedMatch {
  readonly written: {
    readonly rules?: readonly string[];
    readonly tags?: readonly string[];
    readonly priority?: string;
    readonly source?: string;
    readonly output_fields?: readonly string[];
  };
  readonly tags: readonly (readonly string[])[];
  /** That the comparison takes; all of them without one. */
  readonly priorities: readonly Priority[];
  readonly conditions: readonly (readonly Condition[])[];
}

const TAG = /^[a-z_0-9.]*[a-z0-9]$/i;
const PRIORITY = new RegExp(`^(?:[<>]=?|=)?(?:${PRIORITIES.join('|')})$`, 'i');

/** `match` of a Talon rule. What is wrong with it is noted; then the rule is not imported. */
export function translateMatch(
  match: MatchBlock,
  place: Place,
  flags: TalonFlag[],
  problems: TalonProblem[],
): TranslatedMatch {
  const tags = translateTags(match, problems);
  const items = match.outputFields.flatMap((item): readonly TranslatedItem[] => {
    const translated = translateItem(item, flags, problems);
    return translated === undefined ? [] : [translated];
  });
  const priority = translatePriority(match, flags, problems);
  const source = match.source?.text;
  if (match.source !== undefined && source === '')
    problems.push(problemAt(match.source.place, 'is empty; leave it out'));
  if (match.source !== undefined && source === 'syscalls') {
    const message =
      '"syscalls" is read as "syscall", the word of Falco; Talon compares the text, so its rule saw no such event';
    flags.push(flagAt(match.source.place, 'source', message));
  }
  const written = {
    ...(match.rules.length > 0 && { rules: [...new Set(match.rules.map(({ text }) => text))] }),
    ...(match.tags.length > 0 && { tags: tags.map((all) => all.join(', ')) }),
    ...(priority !== undefined && { priority }),
    ...(source !== undefined && { source }),
    ...(match.outputFields.length > 0 && { output_fields: items.map(({ item }) => item) }),
  };
  if (Object.keys(written).length === 0) {
    const message =
      'the rule has no condition; Talon acts on every event then. Say so if it is meant: match: {priority: ">=Debug"}';
    problems.push(problemAt(place, message));
  }
  const priorities = PRIORITIES.filter(
    (word) => priority === undefined || priorityCompares(word, parsePriorityComparison(priority)),
  );
  if (priorities.length === 0 && match.priority !== undefined) {
    problems.push(problemAt(match.priority.place, `no priority is ${match.priority.text}: the rule never acts`));
  }
  return { written, tags, priorities, conditions: items.map(({ conditions }) => conditions) };
}

function translateTags({ tags }: MatchBlock, problems: TalonProblem[]): readonly (readonly string[])[] {
  return tags.map(({ text, place }) => {
    const all = text.split(',').map((tag) => tag.trim());
    for (const tag of all) {
      if (TAG.test(tag)) continue;
      problems.push(problemAt(place, `"${tag}" is no tag (letters, digits, "_" and ".", the last a letter or digit)`));
    }
    return all;
  });
}

function translatePriority({ priority }: MatchBlock, flags: TalonFlag[], problems: TalonProblem[]): string | undefined {
  if (priority === undefined) return undefined;
  const { text, place } = priority;
  if (!PRIORITY.test(text)) {
    const message = `"${text}" is no priority: [<|>][=] and one of ${listed(PRIORITIES)}`;
    problems.push(problemAt(place, message));
    return undefined;
  }
  if (text.startsWith('<')) {
    const message = `an event whose priority is none of Falco's words is below all in Talon and so matches ${text}; Eyrie takes no such event in`;
    flags.push(flagAt(place, 'priority', message));
  }
  return text.replace(/^=/, '');
}
