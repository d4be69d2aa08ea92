import type { ActionBlock, MatchBlock, RuleBlock } from './blocks.ts';
import { Fields } from './fields.ts';
import { isEmpty, problemAt, type TalonMap, type TalonNode, type TalonProblem } from './node.ts';
import { listed } from './words.ts';

export interface Items {
  readonly templates: readonly ActionBlock[];
  readonly rules: readonly RuleBlock[];
  /** Of items that are neither. */
  readonly problems: readonly TalonProblem[];
}

const ACTION_KEYS = [
  'action',
  'description',
  'actionner',
  'parameters',
  'continue',
  'ignore_errors',
  'additional_contexts',
  'output',
];
const RULE_KEYS = ['rule', 'description', 'match', 'continue', 'dry_run', 'notifiers', 'actions'];
const MATCH_KEYS = ['rules', 'tags', 'output_fields', 'priority', 'source'];
const NO_MATCH: MatchBlock = { rules: [], tags: [], outputFields: [] };

/** The items of one file. Strict: Talon ignores an unknown key, and with it what its author meant by it. */
export function readItems(root: TalonNode): Items {
  if (isEmpty(root)) return { templates: [], rules: [], problems: [] };
  if (root.kind !== 'list') {
    const message =
      'a Talon file is a list of `action:` and `rule:` items; a map with version: 1 is a rule file of Eyrie';
    return { templates: [], rules: [], problems: [problemAt(root.place, message)] };
  }
  const templates: ActionBlock[] = [];
  const rules: RuleBlock[] = [];
  const problems: TalonProblem[] = [];
  for (const item of root.items) {
    const keys = item.kind === 'map' ? item.entries.map(({ key }) => key) : [];
    const [isRule, isAction] = [keys.includes('rule'), keys.includes('action')];
    if (item.kind !== 'map' || isRule === isAction) {
      const found = isRule ? 'both' : keys.length === 0 ? 'neither' : `${listed(keys)} but neither`;
      problems.push(problemAt(item.place, `an item needs either \`rule\` or \`action\`; it has ${found}`));
    } else if (isRule) rules.push(readRule(item));
    else templates.push(readAction(item));
  }
  return { templates, rules, problems };
}

function readRule(map: TalonMap): RuleBlock {
  const fields = new Fields(map, RULE_KEYS, 'a rule');
  const actions = fields.list('actions').flatMap((node) => {
    if (node.kind === 'map') return [readAction(node)];
    fields.problems.push(problemAt(node.place, 'must be a map with `action`'));
    return [];
  });
  const match = fields.map('match', MATCH_KEYS, 'match');
  return {
    name: fields.name('rule'),
    description: fields.text('description'),
    match:
      match === undefined
        ? NO_MATCH
        : {
            rules: match.texts('rules'),
            tags: match.texts('tags'),
            outputFields: match.texts('output_fields'),
            priority: match.text('priority'),
            source: match.text('source'),
          },
    continue: fields.flag('continue'),
    dryRun: fields.flag('dry_run'),
    notifiers: fields.texts('notifiers'),
    actions,
    problems: [...fields.problems, ...(match?.problems ?? [])],
  };
}

function readAction(map: TalonMap): ActionBlock {
  const fields = new Fields(map, ACTION_KEYS, 'an action');
  const output = fields.map('output', ['target', 'parameters'], 'output');
  return {
    name: fields.name('action'),
    place: map.place,
    description: fields.text('description'),
    actionner: fields.text('actionner'),
    continue: fields.flag('continue'),
    ignoreErrors: fields.flag('ignore_errors'),
    parameters: fields.parameters('parameters'),
    contexts: fields.texts('additional_contexts'),
    ...(output !== undefined && {
      output: { target: output.name('target'), parameters: output.parameters('parameters') },
    }),
    problems: [...fields.problems, ...(output?.problems ?? [])],
  };
}
