import { ACTIONNERS, type Actionner, FORMER_NAMES, type Translation } from './actionners.ts';
import type { ActionBlock } from './blocks.ts';
import { problemAt, type TalonProblem } from './node.ts';
import type { Notes } from './notes.ts';
import { readParameters } from './parameters.ts';
import { refuseSubstitution } from './substitution.ts';
import { listed, nearest } from './words.ts';

export interface TranslatedAction {
  readonly actionner: string;
  readonly class: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly on_error?: 'continue';
}

const OUTPUTS = ['local:file', 'aws:s3', 'minio:s3', 'gcp:gcs'];
const CONTEXTS = ['aws', 'k8snode'];

/** The actionner of an action, if Talon has it. */
export function findActionner(
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

/** One action with what is to be said about it; none when it is not among ours. */
export function translateAction(
  block: ActionBlock,
  { name, actionner }: { readonly name: string; readonly actionner: Actionner },
  notes: Notes,
): TranslatedAction | undefined {
  const { parameters: specs, aliases = {}, becomes } = actionner;
  const before = notes.problems.length;
  const place = block.actionner?.place ?? block.place;
  refuseSubstitution(block.parameters, specs, notes);
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
