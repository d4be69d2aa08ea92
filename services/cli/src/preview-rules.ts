import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { checkRules } from '@eyrie/responder';
import type { ActionRecord } from '@eyrie/schemas';
import type { Config } from './config.ts';
import type { Preview } from './preview.ts';
import { rulePaths } from './rule-paths.ts';

/** Rule id → `state reason` → intents. */
export type PlannedByRule = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Checks rules as they were written, tests included, and writes them into a directory of rules in which nothing may run:
 * `enforce` becomes `dry_run`. Gives that directory.
 * @throws AppError EYRIE_RULE_INVALID, EYRIE_CONNECTION_INVALID
 */
export async function writePreviewRules(directory: string, rules: Preview['rules'], config: Config): Promise<string> {
  const written = writeRules(join(directory, 'as-written'), rules);
  const { problems } = await checkRules(written, rulePaths(config));
  if (problems.length > 0) throw new AppError('EYRIE_RULE_INVALID', problems.join('; '));
  // A test that expects an action to run would fail in dry run: they were run above.
  return writeRules(
    join(directory, 'dry-run'),
    rules.map(({ tests: _, ...rule }) => ({ ...rule, mode: rule['mode'] === 'observe' ? 'observe' : 'dry_run' })),
  );
}

function writeRules(directory: string, rules: Preview['rules']): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // JSON is YAML.
  writeFileSync(join(directory, 'preview.yaml'), JSON.stringify({ version: 1, rules }));
  return directory;
}

/** Where each intent ended. */
export function countByRule(records: readonly ActionRecord[]): PlannedByRule {
  const latest = new Map<string, ActionRecord>();
  for (const record of records) {
    const held = latest.get(record.intent_key);
    if (held === undefined || held.version < record.version) latest.set(record.intent_key, record);
  }
  const counts: Record<string, Record<string, number>> = Object.create(null);
  for (const { rule_id: rule, state, reason } of latest.values()) {
    counts[rule] ??= {};
    const ending = `${state} ${reason}`;
    counts[rule][ending] = (counts[rule][ending] ?? 0) + 1;
  }
  return counts;
}
