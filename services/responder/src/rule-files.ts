import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { parsePriority } from '@eyrie/schemas';
import { ResponseRule } from '@eyrie/schemas/rule';
import { lowerMode, type Policy } from './core/policy/policy.ts';
import { compileRule } from './core/rules/compile.ts';
import type { ActionCatalog, CompiledRule } from './core/rules/compiled.ts';
import { type RuleSet, ruleSet } from './core/rules/rule-set.ts';
import { runRuleTest, type TestDetection } from './core/rules/run-tests.ts';
import type { RuleDirectory, RuleProblem } from './rule-directory.ts';

export interface RuleReport {
  readonly files: number;
  readonly rules: readonly {
    readonly id: string;
    readonly name: string;
    readonly file: string;
    readonly mode: string;
    readonly version: string;
    readonly actionners: readonly string[];
    /** Its tests hold. */
    readonly ok: boolean;
  }[];
  readonly tests: { readonly passed: number; readonly failed: number };
  /** `file: rule: field: what is wrong` */
  readonly problems: readonly string[];
}

interface LoadOptions {
  readonly catalog: ActionCatalog;
  readonly policy: Policy;
  /** Why no rule may be in enforce, where none may. */
  readonly enforceRefusal?: string | undefined;
}

/** Compiles every rule of a directory under its policy and runs the tests. Never throws for what is in the files: all problems at once. */
export function loadRules(
  directory: string,
  written: RuleDirectory,
  { catalog, policy, enforceRefusal }: LoadOptions,
): { readonly set: RuleSet; readonly report: RuleReport } {
  const problems: RuleProblem[] = [...written.problems];
  const rules: CompiledRule[] = [];
  const byId = new Map<string, CompiledRule>();
  const tests = { passed: 0, failed: 0 };
  for (const { file, rules: entries } of written.files) {
    for (const [index, entry] of entries.entries()) {
      const read = readRule(entry, index, file, catalog, problems);
      if (read === undefined) continue;
      // Its tests judge the rule as it is written.
      const rule = { ...read, mode: lowerMode(read.mode, policy.ceiling) };
      const twin = byId.get(rule.id);
      if (twin !== undefined) {
        problems.push({ file, rule: rule.id, field: 'id', message: `stands in ${twin.file} already` });
        continue;
      }
      byId.set(rule.id, rule);
      rules.push(rule);
      if ((read.mode === 'enforce' || read.mode === 'approve') && enforceRefusal !== undefined) {
        problems.push({ file, rule: rule.id, field: 'mode', message: `${read.mode} is refused: ${enforceRefusal}` });
      }
      runTests(directory, read, policy, tests, problems);
    }
  }
  return {
    set: ruleSet(rules, policy),
    report: {
      files: written.files.length,
      rules: rules.map(({ id, name, file, mode, version, actions }) => ({
        id,
        name,
        file,
        mode,
        version,
        actionners: [...new Set(actions.map(({ actionner }) => actionner))],
        ok: !problems.some((problem) => problem.rule === id),
      })),
      tests,
      problems: problems.map(({ file, rule, field, message }) =>
        [file, rule, field, message].filter(Boolean).join(': '),
      ),
    },
  };
}

/** @throws AppError EYRIE_RULE_INVALID with every problem */
export function requireSound({ problems }: RuleReport): void {
  if (problems.length > 0) throw new AppError('EYRIE_RULE_INVALID', problems.join('; '));
}

function readRule(
  written: unknown,
  index: number,
  file: string,
  catalog: ActionCatalog,
  problems: RuleProblem[],
): CompiledRule | undefined {
  const parsed = ResponseRule.safeParse(written);
  if (!parsed.success) {
    const id = (written as { readonly id?: unknown } | null)?.id;
    const rule = typeof id === 'string' ? id : `rules.${index}`;
    for (const { path, message } of parsed.error.issues) problems.push({ file, rule, field: path.join('.'), message });
    return undefined;
  }
  const compiled = compileRule(parsed.data, file, JSON.stringify(written), catalog);
  if ('rule' in compiled) return compiled.rule;
  for (const problem of compiled.problems) problems.push({ file, rule: parsed.data.id, ...problem });
  return undefined;
}

function runTests(
  directory: string,
  rule: CompiledRule,
  policy: Policy,
  tests: { passed: number; failed: number },
  problems: RuleProblem[],
): void {
  for (const [index, test] of rule.tests.entries()) {
    const detection = test.given.event ?? readFixture(join(directory, test.given.fixture ?? ''));
    const failure = typeof detection === 'string' ? detection : runRuleTest(rule, test, detection, policy);
    if (failure === undefined) tests.passed += 1;
    else {
      tests.failed += 1;
      problems.push({ file: rule.file, rule: rule.id, field: `tests.${index}`, message: `"${test.name}": ${failure}` });
    }
  }
}

/** An event as a sensor wrote it. */
function readFixture(file: string): TestDetection | string {
  try {
    const event = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const priority = parsePriority(String(event['priority']));
    if (typeof event['rule'] !== 'string' || priority === undefined) return `${file} is no event`;
    const fields = event['output_fields'];
    return {
      rule: event['rule'],
      priority,
      source: typeof event['source'] === 'string' ? event['source'] : 'syscall',
      tags: Array.isArray(event['tags']) ? event['tags'].map(String) : [],
      output_fields: typeof fields === 'object' && fields !== null ? (fields as TestDetection['output_fields']) : {},
    };
  } catch {
    return `${file} cannot be read as JSON`;
  }
}
