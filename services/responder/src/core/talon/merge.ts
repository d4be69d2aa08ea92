import type { ActionBlock, Parameters, RuleBlock } from './blocks.ts';
import {
  flagAt,
  isEmpty,
  type PlacedText,
  problemAt,
  type TalonFlag,
  type TalonNode,
  type TalonProblem,
} from './node.ts';

export interface MergedRule {
  readonly rule: RuleBlock;
  readonly flags: readonly TalonFlag[];
}

/** Items of several files as Talon reads them: same names become one, actions take from their templates what they lack. */
export function mergeItems(templates: readonly ActionBlock[], rules: readonly RuleBlock[]): readonly MergedRule[] {
  const byName = new Map<string, ActionBlock>();
  for (const template of templates) {
    const first = byName.get(template.name.text);
    byName.set(template.name.text, first === undefined ? template : overrideAction(first, template));
  }
  const merged = new Map<string, MergedRule>();
  for (const rule of rules) {
    const first = merged.get(rule.name.text);
    merged.set(rule.name.text, first === undefined ? { rule, flags: [] } : overrideRule(first, rule));
  }
  return [...merged.values()].map(({ rule, flags }) => ({
    rule: { ...rule, actions: rule.actions.map((action) => inherit(action, byName.get(action.name.text))) },
    flags,
  }));
}

/** A later template of the same name: its scalars win, its lists are appended. */
function overrideAction(first: ActionBlock, later: ActionBlock): ActionBlock {
  const problems = [...first.problems, ...later.problems];
  return {
    ...first,
    description: later.description ?? first.description,
    actionner: later.actionner ?? first.actionner,
    continue: later.continue ?? first.continue,
    ignoreErrors: later.ignoreErrors ?? first.ignoreErrors,
    parameters: mergeParameters(first.parameters, later.parameters, problems),
    contexts: [...first.contexts, ...later.contexts],
    output: mergeOutput(first.output, later.output, problems),
    problems,
  };
}

/** An action of a rule and the template of its name: what the rule says wins, lists of the template come first. */
function inherit(action: ActionBlock, template: ActionBlock | undefined): ActionBlock {
  if (template === undefined) return action;
  const problems = [...template.problems, ...action.problems];
  return {
    ...action,
    description: action.description ?? template.description,
    actionner: action.actionner ?? template.actionner,
    continue: action.continue ?? template.continue,
    ignoreErrors: action.ignoreErrors ?? template.ignoreErrors,
    parameters: mergeParameters(template.parameters, action.parameters, problems),
    contexts: [...template.contexts, ...action.contexts],
    output: mergeOutput(template.output, action.output, problems),
    problems,
  };
}

function mergeOutput(first: ActionBlock['output'], later: ActionBlock['output'], problems: TalonProblem[]) {
  if (first === undefined || later === undefined) return later ?? first;
  return { target: later.target, parameters: mergeParameters(first.parameters, later.parameters, problems) };
}

/** Lists concatenate, maps merge, of scalars the later wins. Talon drops one of two kinds that do not agree; we refuse. */
function mergeParameters(first: Parameters, later: Parameters, problems: TalonProblem[]): Parameters {
  const merged = new Map(first);
  for (const [name, { place, value }] of later) {
    const before = first.get(name)?.value;
    const both = before === undefined || isEmpty(before) ? value : mergeNodes(before, value);
    if (both === undefined) {
      problems.push(
        problemAt(place, `"${name}" is of another kind at line ${before?.place.line}; Talon drops one of them`),
      );
    } else merged.set(name, { place, value: isEmpty(value) && before !== undefined ? before : both });
  }
  return merged;
}

function mergeNodes(first: TalonNode, later: TalonNode): TalonNode | undefined {
  if (isEmpty(later)) return first;
  if (first.kind === 'list' && later.kind === 'list') return { ...later, items: [...first.items, ...later.items] };
  if (first.kind === 'map' && later.kind === 'map') {
    const own = new Set(later.entries.map(({ key }) => key));
    return { ...later, entries: [...first.entries.filter(({ key }) => !own.has(key)), ...later.entries] };
  }
  return first.kind === 'scalar' && later.kind === 'scalar' ? later : undefined;
}

/** A later rule of the same name: lists are appended, scalars that it has win. Talon also clears those it does not have. */
function overrideRule({ rule: first, flags }: MergedRule, later: RuleBlock): MergedRule {
  const kept = (['priority', 'source'] as const).flatMap((key) => {
    const before: PlacedText | undefined = first.match[key];
    if (before === undefined || later.match[key] !== undefined) return [];
    const where = `${later.name.place.file}:${later.name.place.line}`;
    const message = `${key} ${before.text} is kept; in Talon the block at ${where} clears it, because it does not name it`;
    return [flagAt(before.place, 'override_kept', message)];
  });
  return {
    rule: {
      name: first.name,
      description: later.description ?? first.description,
      match: {
        rules: [...first.match.rules, ...later.match.rules],
        tags: [...first.match.tags, ...later.match.tags],
        outputFields: [...first.match.outputFields, ...later.match.outputFields],
        priority: later.match.priority ?? first.match.priority,
        source: later.match.source ?? first.match.source,
      },
      continue: later.continue ?? first.continue,
      dryRun: later.dryRun ?? first.dryRun,
      notifiers: [...first.notifiers, ...later.notifiers],
      actions: [...first.actions, ...later.actions],
      problems: [...first.problems, ...later.problems],
    },
    flags: [...flags, ...kept],
  };
}
