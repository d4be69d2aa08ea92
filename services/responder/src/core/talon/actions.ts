import { findActionner, type TranslatedAction, translateAction } from './action.ts';
import type { ActionBlock } from './blocks.ts';
import { flagAt, type TalonFlag, type TalonProblem } from './node.ts';
import { Notes } from './notes.ts';
import { Ids } from './words.ts';

interface NamedAction extends TranslatedAction {
  readonly action: string;
}

export interface TranslatedActions {
  readonly actions: readonly NamedAction[];
  readonly spared: Notes['spared'];
}

/** Actions of a rule in their order. Those that Talon never reaches are left out: running them would be more than it did. */
export function translateActions(
  blocks: readonly ActionBlock[],
  catalog: ReadonlySet<string>,
  flags: TalonFlag[],
  problems: TalonProblem[],
): TranslatedActions {
  const ids = new Ids('action');
  const names = new Set<string>();
  const actions: NamedAction[] = [];
  const notes = new Notes();
  let stoppedBy: string | undefined;
  for (const block of blocks) {
    problems.push(...block.problems);
    const found = findActionner(block, problems);
    // Also what Talon never reaches has to be right: whoever wrote it believes that it runs.
    const unreached = new Notes();
    const translated =
      found === undefined ? undefined : translateAction(block, found, stoppedBy === undefined ? notes : unreached);
    problems.push(...unreached.problems);
    if (stoppedBy !== undefined) {
      const message = `"${block.name.text}" is left out: Talon never reaches it, "${stoppedBy}" before it ends the actions of the rule (continue: false)`;
      flags.push(flagAt(block.place, 'continue', message));
      continue;
    }
    if (names.has(block.name.text)) {
      flags.push(
        flagAt(block.place, 'twice', `"${block.name.text}" stands twice in the rule, once for each block that has it`),
      );
    }
    names.add(block.name.text);
    if (found !== undefined && (block.continue?.text ?? String(found.actionner.continues)) === 'false')
      stoppedBy = block.name.text;
    if (translated === undefined) continue;
    if (block.description !== undefined) {
      const { text, place } = block.description;
      flags.push(flagAt(place, 'description', `"${block.name.text}": ${text.trim()}`));
    }
    if (!catalog.has(translated.actionner)) {
      const message = `${translated.actionner} is not in this version: \`eyrie rules check\` refuses the rule until it is`;
      flags.push(flagAt(block.place, 'missing', message));
    }
    actions.push({ action: ids.of(block.name.text), ...translated });
  }
  flags.push(...notes.flags);
  problems.push(...notes.problems);
  return { actions, spared: notes.spared };
}
