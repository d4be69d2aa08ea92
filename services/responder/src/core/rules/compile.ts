import { createHash } from 'node:crypto';
import type { ActionClass } from '@eyrie/schemas';
import type { ResponseRule } from '@eyrie/schemas/rule';
import { parsePriorityComparison, parseScoreComparison } from './comparisons.ts';
import type { ActionCatalog, CompiledRule, PlannedAction, Problem } from './compiled.ts';
import { type Condition, type Conditions, isExpression, parseConditions } from './conditions.ts';
import type { Expression } from './where/expression.ts';
import { parseWhere } from './where/parse.ts';

const DISRUPTIVE = 3;
const DESTRUCTIVE = 4;
const APPROVAL_TTL_MS = 900_000;
/** Decisions after which nothing is done. */
const STILL: ReadonlySet<string> = new Set(['no_match', 'suppressed', 'denied']);
const RULE_SCOPES = ['rule', 'target', 'workload'] as const;

/** More than fit before a deadline: time alone ends what the far side does not take. */
const ATTEMPTS = 2_000;
const NOTICE = { initialMs: 1_000, maximumMs: 300_000 };
/** Once the far side answers again little of a short deadline is left to wait. */
const URGENT = { initialMs: 1_000, maximumMs: 15_000 };

/** A rule as written becomes a rule to run, or all its problems. `body` is the rule's own text, for its version. */
export function compileRule(
  rule: ResponseRule,
  file: string,
  body: string,
  catalog: ActionCatalog,
): { readonly rule: CompiledRule } | { readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const { match } = rule;
  const fields = compileConditions(match.output_fields, 'match.output_fields', problems);
  const where = match.where === undefined ? undefined : compileWhere(match.where, 'match.where', problems);
  const unless = rule.unless === undefined ? undefined : compileUnless(rule.unless, problems);
  const asks = compileActions(rule.approval?.ask ?? [], 'approval.ask', catalog, problems);
  for (const { action, class: level } of asks) {
    if (level > 0)
      problems.push({ field: 'approval.ask', message: `${action} is of class ${level}; a notice is of class 0` });
  }
  const names = new Set(asks.map(({ action }) => action));
  const done = compileActions(rule.actions, 'actions', catalog, problems, names);
  const actions = [
    ...asks.map((action) => ({ ...action, asks: true as const, onError: 'continue' as const })),
    ...done,
  ];
  const highest = Math.max(...actions.map((action) => action.class), 0) as ActionClass;
  guardClass(rule, highest, problems);
  if (problems.length > 0) return { problems };
  return {
    rule: {
      id: rule.id,
      name: rule.rule,
      file,
      version: createHash('sha256').update(body).digest('hex').slice(0, 16),
      mode: rule.mode ?? 'dry_run',
      class: highest,
      match: {
        ...(match.rules !== undefined && { detections: new Set(match.rules) }),
        ...(match.tags !== undefined && { tags: match.tags.map((item) => item.split(',').map((tag) => tag.trim())) }),
        ...(match.priority !== undefined && { priority: parsePriorityComparison(match.priority) }),
        ...(match.source !== undefined && { source: match.source === 'syscalls' ? 'syscall' : match.source }),
        ...(fields !== undefined && { fields }),
        ...(where !== undefined && { where }),
        ...(match.score !== undefined && { score: parseScoreComparison(match.score) }),
      },
      ...(unless !== undefined && { unless }),
      ...(match.threshold !== undefined && {
        threshold: { by: match.threshold.by, count: match.threshold.count, windowMs: match.threshold.within },
      }),
      approval: { quorum: rule.approval?.quorum ?? 1, ttlMs: rule.approval?.ttl ?? APPROVAL_TTL_MS },
      authors: rule.authors ?? [],
      includeSuppressed: rule.include_suppressed,
      cooldownMs: rule.cooldown ?? 0,
      limits: RULE_SCOPES.flatMap((scope) => {
        const limit = rule.limits[scope];
        return limit === undefined ? [] : [{ scope, ...limit }];
      }),
      actions,
      tests: rule.tests,
    },
  };
}

function compileConditions(
  items: readonly string[] | undefined,
  field: string,
  problems: Problem[],
): Conditions | undefined {
  if (items === undefined) return undefined;
  const all: (readonly Condition[])[] = [];
  for (const [index, item] of items.entries()) {
    const parsed = parseConditions(item);
    if ('problem' in parsed) problems.push({ field: `${field}.${index}`, message: parsed.problem });
    else all.push(parsed.conditions);
  }
  return all;
}

function compileWhere(text: string, field: string, problems: Problem[]): Expression | undefined {
  const parsed = parseWhere(text);
  if ('expression' in parsed) return parsed.expression;
  problems.push({ field, message: parsed.problem });
  return undefined;
}

function compileUnless(items: readonly string[], problems: Problem[]): NonNullable<CompiledRule['unless']> {
  const conditions: (readonly Condition[])[] = [];
  const expressions: Expression[] = [];
  for (const [index, item] of items.entries()) {
    const field = `unless.${index}`;
    if (isExpression(item)) {
      const expression = compileWhere(item, field, problems);
      if (expression !== undefined) expressions.push(expression);
      continue;
    }
    const parsed = parseConditions(item);
    if ('problem' in parsed) problems.push({ field, message: parsed.problem });
    else conditions.push(parsed.conditions);
  }
  return { conditions, expressions };
}

function compileActions(
  list: ResponseRule['actions'],
  place: string,
  catalog: ActionCatalog,
  problems: Problem[],
  names = new Set<string>(),
): readonly PlannedAction[] {
  const actions: PlannedAction[] = [];
  for (const [index, written] of list.entries()) {
    const at = `${place}.${index}`;
    checkOrder(written, at, names, problems);
    if (names.has(written.action))
      problems.push({ field: `${at}.action`, message: `"${written.action}" stands twice` });
    names.add(written.action);
    const entry = Object.hasOwn(catalog, written.actionner) ? catalog[written.actionner] : undefined;
    if (entry === undefined) {
      problems.push({
        field: `${at}.actionner`,
        message: `"${written.actionner}" is unknown; there are ${Object.keys(catalog).join(', ')}`,
      });
      continue;
    }
    if (written.timeout !== undefined && written.timeout > entry.timeoutMs.maximum) {
      problems.push({ field: `${at}.timeout`, message: `must be at most ${entry.timeoutMs.maximum / 1000}s` });
    }
    if (written.retry !== undefined && entry.recovery === 'never') {
      problems.push({ field: `${at}.retry`, message: `${written.actionner} is never repeated` });
    }
    if (written.undo !== undefined && entry.undoable !== true) {
      problems.push({ field: `${at}.undo`, message: `${written.actionner} cannot be undone` });
    }
    const checked = entry.check(written.parameters);
    if (!checked.ok) {
      for (const { field, message } of checked.problems) {
        problems.push({ field: `${at}.parameters${field === '' ? '' : `.${field}`}`, message });
      }
      continue;
    }
    actions.push({
      action: written.action,
      actionner: written.actionner,
      class: checked.class,
      parameters: checked.parameters,
      recovery: entry.recovery,
      lane: checked.lane,
      timeoutMs: written.timeout ?? entry.timeoutMs.standard,
      attempts: written.retry?.attempts ?? ATTEMPTS,
      backoff: written.retry?.backoff ?? (entry.deadlineMs === undefined ? NOTICE : URGENT),
      onError: written.on_error,
      ...(entry.provable === true && { provable: true }),
      ...(entry.undoable === true && { undoable: true }),
      ...(written.undo !== undefined && { undoAfterMs: written.undo.after }),
      ...(written.needs !== undefined && { needs: written.needs }),
      ...(written.when !== undefined && { when: written.when }),
      ...(entry.deadlineMs !== undefined && { deadlineMs: entry.deadlineMs }),
    });
  }
  return actions;
}

/** What it hangs on stands before it. */
function checkOrder(
  { needs = [], when }: ResponseRule['actions'][number],
  at: string,
  before: ReadonlySet<string>,
  problems: Problem[],
): void {
  for (const name of needs) {
    if (!before.has(name)) problems.push({ field: `${at}.needs`, message: `no action "${name}" stands before it` });
  }
  if (when !== undefined) compileWhere(when, `${at}.when`, problems);
}

/** What breaks things says so itself, is limited, and shows where it acts and where it does not. */
function guardClass(rule: ResponseRule, highest: ActionClass, problems: Problem[]): void {
  if (highest < DISRUPTIVE) return;
  if (highest >= DESTRUCTIVE && rule.mode === 'enforce') {
    problems.push({ field: 'mode', message: 'actions of class 4 always need approval: use approve' });
  }
  const need = `actions of class ${highest} need`;
  if (rule.mode === undefined) problems.push({ field: 'mode', message: `${need} an explicit mode` });
  if (rule.limits.rule === undefined) problems.push({ field: 'limits.rule', message: `${need} a limit such as 5/1h` });
  if (rule.cooldown === undefined) problems.push({ field: 'cooldown', message: `${need} a cooldown per target` });
  const decisions = rule.tests.map((test) => test.expect.decision);
  if (decisions.every((decision) => STILL.has(decision))) {
    problems.push({ field: 'tests', message: `${need} a test in which the rule acts` });
  }
  if (!decisions.some((decision) => STILL.has(decision))) {
    problems.push({ field: 'tests', message: `${need} a test in which it does not` });
  }
}
