import { ResponseRule } from '@eyrie/schemas/rule';
import { translateActions } from './actions.ts';
import type { RuleBlock } from './blocks.ts';
import { generateTests } from './generated-tests.ts';
import { translateMatch } from './match.ts';
import { flagAt, type Place, problemAt, type TalonFlag, type TalonProblem } from './node.ts';
import { listed, nearest } from './words.ts';

/** A rule in the form of our rule files. */
export type WrittenRule = Readonly<Record<string, unknown>> & { readonly id: string; readonly rule: string };

/** Actions from here on change something in a cluster. */
const CHANGES = 2;
const NOTIFIERS: Readonly<Record<string, string>> = {
  slack: 'add an action slack:message with a connection',
  webhook: 'add an action webhook:post with a connection',
  k8sevents: 'the ledger of actions says what happened',
  smtp: 'send it through a webhook',
  loki: 'the ledger of actions says what happened; send it through a webhook',
  elasticsearch: 'the ledger of actions says what happened; send it through a webhook',
};

/** One merged rule in our format. What is wrong is noted; then it is not imported. */
export function translateRule(
  rule: RuleBlock,
  id: string,
  catalog: ReadonlySet<string>,
  flags: TalonFlag[],
  problems: TalonProblem[],
): WrittenRule {
  const { place } = rule.name;
  const match = translateMatch(rule.match, place, flags, problems);
  const { actions, spared } = translateActions(rule.actions, catalog, flags, problems);
  if (rule.actions.length === 0) problems.push(problemAt(place, 'the rule has no action'));
  noteRule(rule, flags, problems);
  const kinds = [...new Set(spared.map(({ kind }) => kind))];
  for (const { kind, place } of spared) {
    const message = `pods of a ${kind} are spared by \`unless\`, for all actions of the rule; where the kind of owner is not known the rule does nothing`;
    flags.push(flagAt(place, 'guarded', message));
  }
  const changes = actions.some((action) => action.class >= CHANGES);
  const tests = generateTests({ match, plan: actions.map(({ action }) => action), spared: kinds, changes });
  if (typeof tests === 'string' && problems.length === 0) problems.push(problemAt(place, tests));
  const limits = changes ? { rule: '5/1h', target: '1/30m' } : { rule: '60/1h' };
  const cooldown = changes ? '30m' : '5m';
  flags.push(
    flagAt(
      place,
      'generated',
      `limits ${limited(limits)}, cooldown ${cooldown} and the tests are Eyrie's: Talon has none`,
    ),
  );
  const written = {
    rule: rule.name.text,
    id,
    ...(rule.description !== undefined && { description: rule.description.text.trim() }),
    mode: 'dry_run',
    match: match.written,
    ...(kinds.length > 0 && { unless: [spare(kinds)] }),
    cooldown,
    limits,
    actions: actions.map(({ class: _, ...action }) => action),
    tests: typeof tests === 'string' ? [] : tests,
  };
  if (problems.length === 0) refuseUnwritable(written, place, problems);
  return written;
}

/** Fails closed: an owner that is not known may be one of those. */
function spare(kinds: readonly string[]): string {
  return `not exists(workload_kind) or workload_kind in (${kinds.map((kind) => `"${kind}"`).join(', ')})`;
}

/** What the schema of our rule files says has the last word. */
function refuseUnwritable(written: WrittenRule, place: Place, problems: TalonProblem[]): void {
  const parsed = ResponseRule.safeParse(written);
  for (const { path, message } of parsed.error?.issues ?? []) {
    problems.push(problemAt(place, `it does not fit into our rule file: ${path.join('.')}: ${message}`));
  }
}

function noteRule(rule: RuleBlock, flags: TalonFlag[], problems: TalonProblem[]): void {
  if (rule.dryRun !== undefined) {
    const { text, place } = rule.dryRun;
    const then =
      text === 'true'
        ? 'as it was in Talon'
        : 'in Talon it acted; set mode: enforce when its tests and history suit you';
    flags.push(flagAt(place, 'dry_run', `mode: dry_run, ${then}`));
  }
  if (rule.continue?.text === 'false') {
    const message =
      'Talon stops at this rule; Eyrie holds every rule against every event, so later rules that may match the same events are refused';
    flags.push(flagAt(rule.continue.place, 'continue', message));
  }
  for (const { text, place } of rule.notifiers) {
    const instead = Object.hasOwn(NOTIFIERS, text) ? NOTIFIERS[text] : undefined;
    if (instead !== undefined) flags.push(flagAt(place, 'notifiers', `${text} is left out: ${instead}`));
    else {
      const meant = nearest(text, Object.keys(NOTIFIERS));
      const hint = meant === undefined ? '' : ` (${meant}?)`;
      problems.push(
        problemAt(place, `"${text}" is no notifier of Talon${hint}; there are ${listed(Object.keys(NOTIFIERS))}`),
      );
    }
  }
}

function limited(limits: Readonly<Record<string, string>>): string {
  return Object.entries(limits)
    .map(([scope, limit]) => `${scope} ${limit}`)
    .join(', ');
}
