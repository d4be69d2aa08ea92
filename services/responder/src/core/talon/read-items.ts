import {
  isEmpty,
  type Place,
  type PlacedText,
  problemAt,
  type TalonMap,
  type TalonNode,
  type TalonProblem,
} from './node.ts';
import { listed, nearest } from './words.ts';

/** An `action:` template, or an action within a rule. */
export interface ActionBlock {
  readonly name: PlacedText;
  readonly place: Place;
  readonly description?: PlacedText | undefined;
  readonly actionner?: PlacedText | undefined;
  readonly continue?: PlacedText | undefined;
  readonly ignoreErrors?: PlacedText | undefined;
  readonly parameters: Parameters;
  readonly contexts: readonly PlacedText[];
  readonly output?: { readonly target: PlacedText; readonly parameters: Parameters } | undefined;
  readonly problems: readonly TalonProblem[];
}

export type Parameters = ReadonlyMap<string, { readonly place: Place; readonly value: TalonNode }>;

export interface RuleBlock {
  readonly name: PlacedText;
  readonly description?: PlacedText | undefined;
  readonly match: MatchBlock;
  readonly continue?: PlacedText | undefined;
  readonly dryRun?: PlacedText | undefined;
  readonly notifiers: readonly PlacedText[];
  readonly actions: readonly ActionBlock[];
  readonly problems: readonly TalonProblem[];
}

export interface MatchBlock {
  readonly rules: readonly PlacedText[];
  readonly tags: readonly PlacedText[];
  readonly outputFields: readonly PlacedText[];
  readonly priority?: PlacedText | undefined;
  readonly source?: PlacedText | undefined;
}

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

/** Takes the keys of a map by kind and notes what is wrong with them. */
class Fields {
  readonly problems: TalonProblem[] = [];
  readonly #map: TalonMap;

  constructor(map: TalonMap, allowed: readonly string[], what: string) {
    this.#map = map;
    for (const { key, place } of map.entries) {
      if (allowed.includes(key)) continue;
      const hint = nearest(key, allowed);
      const meant = hint === undefined ? '' : ` (${hint}?)`;
      const merged = key === '<<' ? '; write out what it stands for' : '';
      this.problems.push(
        problemAt(
          place,
          `"${key}" is no key of ${what}${meant}${merged}; there are ${listed(allowed)}. Talon ignores it`,
        ),
      );
    }
  }

  text(key: string): PlacedText | undefined {
    const node = this.#find(key);
    if (node === undefined) return undefined;
    if (node.kind === 'scalar') return { text: node.text, place: node.place };
    this.problems.push(problemAt(node.place, 'must be a text'));
    return undefined;
  }

  /** The name of an item, which has to be there. */
  name(key: string): PlacedText {
    const found = this.text(key);
    if (found !== undefined && found.text.trim() !== '') return found;
    this.problems.push(problemAt(this.#map.place, `needs \`${key}\` with a name`));
    return { text: '', place: this.#map.place };
  }

  /** Talon keeps these as texts and takes two of them. */
  flag(key: string): PlacedText | undefined {
    const found = this.text(key);
    if (found === undefined || found.text === 'true' || found.text === 'false') return found;
    this.problems.push(problemAt(found.place, `"${found.text}" must be true or false`));
    return undefined;
  }

  list(key: string): readonly TalonNode[] {
    const node = this.#find(key);
    if (node === undefined) return [];
    if (node.kind === 'list') return node.items;
    this.problems.push(problemAt(node.place, 'must be a list'));
    return [];
  }

  texts(key: string): readonly PlacedText[] {
    return this.list(key).flatMap((node) => {
      if (node.kind === 'scalar' && node.text !== '') return [{ text: node.text, place: node.place }];
      this.problems.push(problemAt(node.place, 'must be a text'));
      return [];
    });
  }

  map(key: string, allowed: readonly string[], what: string): Fields | undefined {
    const node = this.#mapOf(key);
    return node === undefined ? undefined : new Fields(node, allowed, what);
  }

  parameters(key: string): Parameters {
    const node = this.#mapOf(key);
    return new Map(node?.entries.map(({ key: name, place, value }) => [name, { place, value }]));
  }

  #mapOf(key: string): TalonMap | undefined {
    const node = this.#find(key);
    if (node === undefined || node.kind === 'map') return node;
    this.problems.push(problemAt(node.place, 'must be a map'));
    return undefined;
  }

  #find(key: string): TalonNode | undefined {
    const node = this.#map.entries.find((entry) => entry.key === key)?.value;
    return node === undefined || isEmpty(node) ? undefined : node;
  }
}
