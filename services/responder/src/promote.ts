import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { createHttpClient } from '@eyrie/platform/http-client';
import type { WorkloadSnapshot } from '@eyrie/schemas';
import { lowerMode } from './core/policy/policy.ts';
import type { CompiledRule } from './core/rules/compiled.ts';
import { type RuleSet, ruleSet } from './core/rules/rule-set.ts';
import { type PromotionLimits, promotionRefusals } from './core/simulate/promotion.ts';
import { workloadKey, workloadParts } from './core/simulate/workload-key.ts';
import { readPodCounts } from './history/pods.ts';
import type { Select } from './history/select.ts';
import { type LineChange, setEnforce } from './rule-edit.ts';
import { requireSound } from './rule-files.ts';
import { readSetup } from './setup.ts';
import { findRule, readRules, type SimulateOptions, type SimulationReport, simulate } from './simulate.ts';

export interface PromoteOptions extends SimulateOptions {
  readonly limits: PromotionLimits;
  /** The pods the inventory knows of a namespace; absent where no inventory can be asked. */
  readonly inventory?: (cluster: string, namespace: string) => Promise<readonly WorkloadSnapshot[]>;
}

export interface Promotion {
  readonly rule: string;
  readonly file: string;
  /** Why it may not enforce yet; then the file is as it was. */
  readonly refusals: readonly string[];
  readonly changes: readonly LineChange[];
  readonly report: SimulationReport;
}

/**
 * Sets a rule to enforce in its file, when on history it would have kept to the limits.
 * @throws AppError EYRIE_USAGE (no such rule), EYRIE_RULE_INVALID (the file cannot be changed, or not so), and what simulating throws
 */
export async function promoteRule(
  directory: string,
  ruleId: string,
  select: Select,
  options: PromoteOptions,
): Promise<Promotion> {
  const rules = await readRules(directory, options.paths);
  const rule = findRule(rules, ruleId);
  const { report, simulation } = await simulate(enforced(rule, rules), select, options);
  const tally = simulation.tally.rule(ruleId);
  if (tally === undefined) throw new RangeError(`rule ${ruleId} was not simulated`);
  const pods = await readPodCounts(select, options.span);
  await addInventory(pods, [...tally.targets.keys()], options.inventory);
  const { first, last } = report.history;
  const historyMs = first === undefined || last === undefined ? 0 : Date.parse(last) - Date.parse(first);
  const refusals = promotionRefusals({ class: rule.class, historyMs, tally, pods }, options.limits);
  const found = { rule: ruleId, file: rule.file, refusals, report };
  if (refusals.length > 0) return { ...found, changes: [] };
  return { ...found, changes: await enforceIn(directory, rule, options.paths) };
}

/** The rule alone, as it would be. @throws AppError EYRIE_RULE_INVALID */
function enforced(rule: CompiledRule, { policy }: RuleSet): RuleSet {
  const mode = lowerMode('enforce', policy.ceiling);
  if (rule.mode === 'enforce') throw new AppError('EYRIE_RULE_INVALID', `${rule.id} enforces already`);
  if (mode !== 'enforce') throw new AppError('EYRIE_RULE_INVALID', `the policy lets no rule go further than ${mode}`);
  return ruleSet([{ ...rule, mode }], policy);
}

async function addInventory(
  pods: Map<string, number>,
  workloads: readonly string[],
  inventory: PromoteOptions['inventory'],
): Promise<void> {
  if (inventory === undefined) return;
  const places = new Map(workloads.map(workloadParts).map((place) => [`${place.cluster}/${place.namespace}`, place]));
  for (const { cluster, namespace } of places.values()) {
    const found = await inventory(cluster, namespace);
    const byWorkload = Map.groupBy(found, ({ tenant, owner }) =>
      workloadKey([tenant, cluster, namespace, owner.kind, owner.name]),
    );
    for (const [key, ofIt] of byWorkload) pods.set(key, Math.max(pods.get(key) ?? 0, ofIt.length));
  }
}

/** @throws AppError EYRIE_RULE_INVALID */
async function enforceIn(
  directory: string,
  rule: CompiledRule,
  paths: SimulateOptions['paths'],
): Promise<readonly LineChange[]> {
  // Rules that are mounted lie behind links.
  const path = realpathSync(join(directory, rule.file));
  const before = readFileSync(path, 'utf8');
  if ((await readRules(directory, paths)).byId.get(rule.id)?.version !== rule.version) {
    throw new AppError('EYRIE_RULE_INVALID', `${rule.file}: ${rule.id} was changed meanwhile; nothing was written`);
  }
  const edited = setEnforce(before, rule.id);
  if ('problem' in edited) throw new AppError('EYRIE_RULE_INVALID', `${rule.file}: ${rule.id}: ${edited.problem}`);
  await requireSoundWith(directory, { file: rule.file, text: edited.text }, paths);
  writeWhole(path, edited.text);
  return edited.changes;
}

/** The directory as it would be: a file that is not sound would take no effect. @throws AppError EYRIE_RULE_INVALID */
async function requireSoundWith(
  directory: string,
  instead: { readonly file: string; readonly text: string },
  paths: SimulateOptions['paths'],
): Promise<void> {
  const http = createHttpClient();
  try {
    const setup = { ...paths, rulesDir: directory, scriptsMax: 1 };
    requireSound(readSetup(setup, { http, clock: systemClock }, instead).report);
  } finally {
    await http.close();
  }
}

/** Whole or not at all: whoever follows the directory reads it at any moment. @throws AppError EYRIE_RULE_INVALID */
function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const { mode } = statSync(path);
    writeFileSync(temporary, text, { flag: 'wx', mode });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError('EYRIE_RULE_INVALID', `${path} cannot be written: ${why}`, { cause });
  }
}
