import { ResponseRule } from '@eyrie/schemas/rule';
import { translateActions } from './actions.ts';
import { generateTests } from './generated-tests.ts';
import { translateMatch } from './match.ts';
import { type MergedRule, mergeItems } from './merge.ts';
import {
  flagAt,
  type Place,
  type PlacedText,
  problemAt,
  type TalonFlag,
  type TalonNode,
  type TalonProblem,
} from './node.ts';
import { type RuleBlock, readItems } from './read-items.ts';
import { Ids, listed, nearest } from './words.ts';

/** A rule in the form of our rule files. */
type WrittenRule = Readonly<Record<string, unknown>> & { readonly id: string; readonly rule: string };

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

const DISRUPTS = 2;
const NOTIFIERS: Readonly<Record<string, string>> = {
  slack: 'add an action slack:message with a connection',
  webhook: 'add an action webhook:post with a connection',
  k8sevents: 'the ledger of actions says what happened',
  smtp: 'send it through a webhook',
  loki: 'the ledger of actions says what happened; send it through a webhook',
  elasticsearch: 'the ledger of actions says what happened; send it through a webhook',
};

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

function translateRule(
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
  const tests = generateTests({ match, plan: actions.map(({ action }) => action), spared: kinds });
  if (typeof tests === 'string' && problems.length === 0) problems.push(problemAt(place, tests));
  const isDisruptive = actions.some((action) => action.class >= DISRUPTS);
  const limits = isDisruptive ? { rule: '5/1h', target: '1/30m' } : { rule: '60/1h' };
  const cooldown = isDisruptive ? '30m' : '5m';
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

/** A rule before it that ends the evaluation keeps its events from this one; here it would act on them. */
function refuseHidden(rule: RuleBlock, earlier: readonly MergedRule[], problems: TalonProblem[]): void {
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

function limited(limits: Readonly<Record<string, string>>): string {
  return Object.entries(limits)
    .map(([scope, limit]) => `${scope} ${limit}`)
    .join(', ');
}
