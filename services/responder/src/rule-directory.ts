import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ResponsePolicy } from '@eyrie/schemas/policy';
import { RuleFile } from '@eyrie/schemas/rule';
import { parse } from 'yaml';
import { compilePolicy, DEFAULT_POLICY, type Policy } from './core/policy/policy.ts';

export interface RuleProblem {
  readonly file: string;
  /** Id of the rule, or its place in the file. */
  readonly rule: string;
  readonly field: string;
  readonly message: string;
}

/** The files of a directory of rules, as they are written. */
export interface RuleDirectory {
  readonly files: readonly { readonly file: string; readonly rules: readonly unknown[]; readonly policy?: unknown }[];
  readonly problems: readonly RuleProblem[];
}

/** Never throws for what is in the files: all problems at once. `instead`: a file as if it held this text. */
export function readRuleDirectory(
  directory: string,
  instead?: { readonly file: string; readonly text: string },
): RuleDirectory {
  const problems: RuleProblem[] = [];
  const files = ruleFiles(directory, problems).flatMap((file) => {
    const text = () => (file === instead?.file ? instead.text : readFileSync(join(directory, file), 'utf8'));
    const read = readRuleFile(file, text, problems);
    return [{ file, rules: read?.rules ?? [], ...(read?.policy !== undefined && { policy: read.policy }) }];
  });
  return { files, problems };
}

/** The policy of a directory: that of the one file that has one. */
export function readPolicy({ files }: RuleDirectory, problems: RuleProblem[]): Policy {
  const [first, ...others] = files.filter(({ policy }) => policy !== undefined);
  if (first === undefined) return DEFAULT_POLICY;
  for (const { file } of others) {
    problems.push({ file, rule: '', field: 'policy', message: `stands in ${first.file} already` });
  }
  const parsed = ResponsePolicy.safeParse(first.policy);
  if (parsed.success) return compilePolicy(parsed.data);
  for (const { path, message } of parsed.error.issues) {
    problems.push({ file: first.file, rule: '', field: ['policy', ...path].join('.'), message });
  }
  return DEFAULT_POLICY;
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

function readRuleFile(file: string, text: () => string, problems: RuleProblem[]): RuleFile | undefined {
  const refuse = (field: string, message: string): undefined => {
    problems.push({ file, rule: '', field, message });
    return undefined;
  };
  let written: unknown;
  try {
    written = parse(text(), { maxAliasCount: 100 });
  } catch (error) {
    return refuse('', error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'cannot be read');
  }
  if (Array.isArray(written))
    return refuse('', 'a list is a Falco Talon file (eyrie rules import); ours is a map with version: 1 and rules');
  const parsed = RuleFile.safeParse(written);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) refuse(path.join('.'), message);
  return undefined;
}
