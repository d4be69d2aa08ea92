import {
  ACTIONNERS,
  type Actionner,
  FORMER_NAMES,
  Notes,
  SUBSTITUTED,
  substitutionIn,
  type Translation,
} from './actionners.ts';
import { flagAt, problemAt, type TalonFlag, type TalonProblem } from './node.ts';
import { readParameters } from './parameters.ts';
import type { ActionBlock } from './read-items.ts';
import { Ids, listed, nearest } from './words.ts';

interface TranslatedAction {
  readonly action: string;
  readonly actionner: string;
  readonly class: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly on_error?: 'continue';
}

export interface TranslatedActions {
  readonly actions: readonly TranslatedAction[];
  readonly spared: Notes['spared'];
}

const OUTPUTS = ['local:file', 'aws:s3', 'minio:s3', 'gcp:gcs'];
const CONTEXTS = ['aws', 'k8snode'];

/** Actions of a rule in their order. Those that Talon never reaches are left out: running them would be more than it did. */
export function translateActions(
  blocks: readonly ActionBlock[],
  catalog: ReadonlySet<string>,
  flags: TalonFlag[],
  problems: TalonProblem[],
): TranslatedActions {
  const ids = new Ids('action');
  const names = new Set<string>();
  const actions: TranslatedAction[] = [];
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

function findActionner(
  { name, place, actionner: written }: ActionBlock,
  problems: TalonProblem[],
): { readonly name: string; readonly actionner: Actionner } | undefined {
  if (written === undefined) {
    if (name.text !== '') {
      problems.push(problemAt(place, `"${name.text}" has no actionner, and there is no template of that name`));
    }
    return undefined;
  }
  const actionner = Object.hasOwn(ACTIONNERS, written.text) ? ACTIONNERS[written.text] : undefined;
  if (actionner !== undefined) return { name: written.text, actionner };
  const known = Object.keys(ACTIONNERS);
  const former = Object.hasOwn(FORMER_NAMES, written.text) ? FORMER_NAMES[written.text] : undefined;
  const meant = former ?? nearest(written.text, known);
  const hint = meant === undefined ? '' : ` (${meant}?)`;
  problems.push(
    problemAt(written.place, `"${written.text}" is no actionner of Falco Talon${hint}; there are ${listed(known)}`),
  );
  return undefined;
}

function translateAction(
  block: ActionBlock,
  { name, actionner }: { readonly name: string; readonly actionner: Actionner },
  notes: Notes,
): Omit<TranslatedAction, 'action'> | undefined {
  const { parameters: specs, aliases = {}, becomes } = actionner;
  const before = notes.problems.length;
  const place = block.actionner?.place ?? block.place;
  refuseSubstitution(block, name, notes);
  const values = readParameters(block.parameters, { specs, aliases, actionner: name }, place, notes.problems);
  if (typeof becomes === 'string') {
    notes.refuse(place, `${name} ${becomes}. Ours, of those of Talon: ${listed(supported())}`);
    return undefined;
  }
  noteSurroundings(block, becomes, name, notes);
  const parameters = notes.problems.length > before ? {} : becomes.translate(values, notes);
  return {
    actionner: becomes.actionner,
    class: becomes.class,
    parameters,
    ...(block.ignoreErrors?.text === 'true' && { on_error: 'continue' as const }),
  };
}

/** Talon puts the event's text into the command before a shell reads it: whoever names a file writes the command. */
function refuseSubstitution({ parameters }: ActionBlock, name: string, notes: Notes): void {
  for (const key of SUBSTITUTED[name] ?? []) {
    const written = parameters.get(key);
    if (written?.value.kind !== 'scalar') continue;
    const found = substitutionIn(written.value.text);
    if (found === undefined) continue;
    const message = `${found} would be replaced by text of the event, which attackers write: an injection into ${key}. Use shell:script, whose program reads the event as JSON on standard input`;
    notes.refuse(written.place, message);
  }
}

function noteSurroundings(block: ActionBlock, { hasOutput }: Translation, name: string, notes: Notes): void {
  const { output, contexts, ignoreErrors } = block;
  if (output !== undefined) {
    const { text, place } = output.target;
    if (hasOutput !== true) notes.refuse(place, `${name} has no output`);
    else if (!OUTPUTS.includes(text))
      notes.refuse(place, `"${text}" is no output of Talon; there are ${listed(OUTPUTS)}`);
    else {
      const message = `the output ${text} is not among ours; take \`output\` away to import the rule without it`;
      notes.refuse(place, message);
    }
  }
  for (const { text, place } of contexts) {
    if (!CONTEXTS.includes(text)) {
      notes.refuse(place, `"${text}" is no context of Talon; there are ${listed(CONTEXTS)}`);
    } else {
      notes.flag(
        place,
        'additional_contexts',
        `${text} is left out: nothing puts text of events or contexts into a command here`,
      );
    }
  }
  if (ignoreErrors?.text === 'true') {
    notes.flag(
      ignoreErrors.place,
      'ignore_errors',
      'on_error: continue, the actions after it run whatever becomes of it',
    );
  }
}

function supported(): readonly string[] {
  return Object.entries(ACTIONNERS).flatMap(([name, { becomes }]) => (typeof becomes === 'string' ? [] : [name]));
}
