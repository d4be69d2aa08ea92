import { systemClock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { createHttpClient } from '@eyrie/platform/http-client';
import type { CompiledRule } from './core/rules/compiled.ts';
import type { RuleSet } from './core/rules/rule-set.ts';
import type { DiffReport } from './core/simulate/ledger-diff.ts';
import type { Cell, PeakReport, RuleOutcome } from './core/simulate/tally.ts';
import { readMoments } from './history/moments.ts';
import type { Span } from './history/pages.ts';
import { findHistory, type HistoryFound, readLedger, readVerdicts } from './history/records.ts';
import type { Select } from './history/select.ts';
import { OWNER_DEFAULTS } from './owner-defaults.ts';
import { requireSound } from './rule-files.ts';
import { readSetup, type SetupPaths } from './setup.ts';
import { Simulation } from './simulation.ts';

/** Verdicts of people on the alerts a rule would have acted on. `none`: nobody judged them. */
type VerdictCounts = Readonly<Record<'true_positive' | 'false_positive' | 'benign' | 'none', number>>;

export interface SimulationReport {
  /** ISO 8601, `[from, to)`. */
  readonly from: string;
  readonly to: string;
  readonly history: HistoryFound;
  readonly rules: readonly (RuleOutcome & { readonly verdicts: VerdictCounts })[];
  readonly by_day: readonly Cell[];
  readonly peak_per_minute?: PeakReport;
  /** Against what the live rules decided. */
  readonly ledger: DiffReport;
  /** Memories that were full: what they forgot may have been counted twice. */
  readonly bounds: readonly string[];
}

export interface SimulateOptions {
  readonly paths: Pick<SetupPaths, 'scriptsDir' | 'connectionsFile'>;
  readonly span: Span;
  /** Partitions of requests, as the live ones have: limits and cooldowns are decided within one. */
  readonly partitions: number;
  readonly onProgress?: (at: number, events: number) => void;
}

const HOUR_MS = 3_600_000;
const WARM_UP_MS = { least: 2 * HOUR_MS, most: 30 * 24 * HOUR_MS };

/**
 * The rules of a directory over stored history, without effects.
 * @throws AppError EYRIE_RULE_INVALID, EYRIE_CONNECTION_INVALID, and what asking the tables throws
 */
export async function simulateRules(
  directory: string,
  select: Select,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const rules = await readRules(directory, options.paths);
  return (await simulate(rules, select, options)).report;
}

/** The rules of a directory, sound. @throws AppError EYRIE_RULE_INVALID, EYRIE_CONNECTION_INVALID */
export async function readRules(directory: string, paths: SimulateOptions['paths']): Promise<RuleSet> {
  const http = createHttpClient();
  try {
    const { rules, report } = readSetup({ ...paths, rulesDir: directory, scriptsMax: 1 }, { http, clock: systemClock });
    requireSound(report);
    return rules;
  } finally {
    await http.close();
  }
}

/** @throws AppError EYRIE_USAGE */
export function findRule({ byId }: RuleSet, id: string): CompiledRule {
  const rule = byId.get(id);
  if (rule !== undefined) return rule;
  const known = [...byId.keys()].slice(0, 20).join(', ') || 'none';
  throw new AppError('EYRIE_USAGE', `there is no rule with the id "${id}"; there: ${known}`);
}

/** @throws AppError what asking the tables throws */
export async function simulate(
  rules: RuleSet,
  select: Select,
  { span, partitions, onProgress }: SimulateOptions,
): Promise<{ readonly report: SimulationReport; readonly simulation: Simulation }> {
  const history = await findHistory(select, span);
  const ids = rules.rules.map(({ id }) => id);
  const live = await readLedger(select, ids, span);
  const simulation = new Simulation(rules, live, span.from, { ...OWNER_DEFAULTS, partitions });
  let events = 0;
  const warm = { from: span.from - warmUpMs(rules), to: span.to };
  for await (const moment of readMoments(select, warm, detectionsOf(rules))) {
    simulation.take(moment);
    events += moment.events.length;
    onProgress?.(moment.at, events);
  }
  const { tally, diff, bounds } = simulation;
  const alerts = tally.alertsByRule();
  const verdicts = await readVerdicts(select, [...new Set(alerts.flatMap(([, ofRule]) => [...ofRule]))]);
  const peak = tally.peakPerMinute;
  const report: SimulationReport = {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    history,
    rules: tally.outcomes().map((outcome, index) => ({
      ...outcome,
      verdicts: countVerdicts(alerts[index]?.[1] ?? [], verdicts),
    })),
    by_day: tally.cells(),
    ...(peak !== undefined && { peak_per_minute: peak }),
    ledger: diff.finish(),
    bounds,
  };
  return { report, simulation };
}

/** Undefined where a rule names none: then every event is of interest. */
function detectionsOf({ rules }: RuleSet): readonly string[] | undefined {
  if (rules.some(({ match }) => match.detections === undefined)) return undefined;
  return [...new Set(rules.flatMap(({ match }) => [...(match.detections ?? [])]))];
}

/** So far back a cooldown or a limit may reach into the span, and an alert may have been opened that still grows. */
function warmUpMs({ rules, policy }: RuleSet): number {
  const spans = rules.flatMap(({ cooldownMs, limits }) => [cooldownMs, ...limits.map(({ windowMs }) => windowMs)]);
  const longest = Math.max(WARM_UP_MS.least, ...spans, ...policy.limits.map(({ windowMs }) => windowMs));
  return Math.min(WARM_UP_MS.most, longest);
}

function countVerdicts(alerts: Iterable<string>, verdicts: ReadonlyMap<string, string>): VerdictCounts {
  const counts = { true_positive: 0, false_positive: 0, benign: 0, none: 0 };
  for (const alert of alerts) {
    const verdict = verdicts.get(alert) ?? 'none';
    if (Object.hasOwn(counts, verdict)) counts[verdict as keyof typeof counts] += 1;
  }
  return counts;
}
