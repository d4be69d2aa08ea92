import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { parsePriority } from '@eyrie/schemas';
import { ResponseRule, RuleFile } from '@eyrie/schemas/rule';
import { parse } from 'yaml';
import { compileRule } from './core/rules/compile.ts';
import type { ActionCatalog, CompiledRule } from './core/rules/compiled.ts';
import { type RuleSet, ruleSet } from './core/rules/rule-set.ts';
import { runRuleTest, type TestDetection } from './core/rules/run-tests.ts';

interface RuleProblem {
  readonly file: string;
  /** Id of the rule, or its place in the file. */
  readonly rule: string;
  readonly field: string;
  readonly message: string;
}

export interface RuleReport {
  readonly files: number;
  readonly rules: readonly {
    readonly id: string;
    readonly name: string;
    readonly file: string;
    readonly mode: string;
    readonly version: string;
    /** Its tests hold. */
    readonly ok: boolean;
  }[];
  readonly tests: { readonly passed: number; readonly failed: number };
  /** `file: rule: field: what is wrong` */
  readonly problems: readonly string[];
}

/** Reads every rule of a directory and runs its tests; with a refusal none may be in enforce. Never throws for what is in the files: all problems at once. */
export function loadRules(
  directory: string,
  catalog: ActionCatalog,
  enforceRefusal?: string,
): { readonly set: RuleSet; readonly report: RuleReport } {
  const problems: RuleProblem[] = [];
  const rules: CompiledRule[] = [];
  const byId = new Map<string, CompiledRule>();
  const tests = { passed: 0, failed: 0 };
  const files = ruleFiles(directory, problems);
  for (const file of files) {
    for (const [index, written] of readRuleFile(directory, file, problems).entries()) {
      const rule = readRule(written, index, file, catalog, problems);
      if (rule === undefined) continue;
      const twin = byId.get(rule.id);
      if (twin !== undefined) {
        problems.push({ file, rule: rule.id, field: 'id', message: `stands in ${twin.file} already` });
        continue;
      }
      byId.set(rule.id, rule);
      rules.push(rule);
      if (rule.mode === 'enforce' && enforceRefusal !== undefined) {
        problems.push({ file, rule: rule.id, field: 'mode', message: `enforce is refused: ${enforceRefusal}` });
      }
      runTests(directory, rule, tests, problems);
    }
  }
  return {
    set: ruleSet(rules),
    report: {
      files: files.length,
      rules: rules.map(({ id, name, file, mode, version }) => ({
        id,
        name,
        file,
        mode,
        version,
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

function ruleFiles(directory: string, problems: RuleProblem[]): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
      .sort();
  } catch {
    problems.push({ file: directory, rule: '', field: '', message: 'the directory of rules cannot be read' });
    return [];
  }
}

function readRuleFile(directory: string, file: string, problems: RuleProblem[]): readonly unknown[] {
  const refuse = (field: string, message: string): readonly unknown[] => {
    problems.push({ file, rule: '', field, message });
    return [];
  };
  let written: unknown;
  try {
    written = parse(readFileSync(join(directory, file), 'utf8'), { maxAliasCount: 100 });
  } catch (error) {
    return refuse('', error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'cannot be read');
  }
  if (Array.isArray(written))
    return refuse('', 'a list is a Falco Talon file; ours is a map with version: 1 and rules');
  const parsed = RuleFile.safeParse(written);
  if (parsed.success) return parsed.data.rules;
  for (const { path, message } of parsed.error.issues) refuse(path.join('.'), message);
  return [];
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
  tests: { passed: number; failed: number },
  problems: RuleProblem[],
): void {
  for (const [index, test] of rule.tests.entries()) {
    const detection = test.given.event ?? readFixture(join(directory, test.given.fixture ?? ''));
    const failure = typeof detection === 'string' ? detection : runRuleTest(rule, test, detection);
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
