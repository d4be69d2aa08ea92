import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import type { Alert, ClusterId, TenantId } from '@eyrie/schemas';
import { type Config, EMBEDDED, readConfig } from '../config.ts';
import { watchInterrupt } from '../interrupt.ts';
import { startPipeline } from '../pipeline.ts';
import { type Preview, putPreview, readPreview } from '../preview.ts';
import { countByRule, type PlannedByRule, writePreviewRules } from '../preview-rules.ts';
import { plain, printJson, printLine, printTable, progressLine } from '../print.ts';
import { appendFiles } from '../raw-files.ts';
import { actionsOf, alertsSince, ends } from '../replay-records.ts';
import { type ReplayResult, summarise } from '../replay-result.ts';
import { withSpooledInput } from '../spooled-input.ts';

interface ReplayOptions {
  readonly dataDir?: string;
  readonly with?: string;
  readonly diff?: boolean;
  readonly json?: boolean;
}

export async function replay(files: readonly string[], options: ReplayOptions): Promise<void> {
  if (options.diff === true && options.with === undefined)
    throw new AppError('EYRIE_USAGE', '--diff needs --with FILE');
  // What lies in the directory would count on one side alone: its events would be repeats there and new with the preview.
  if (options.with !== undefined && options.dataDir !== undefined)
    throw new AppError(
      'EYRIE_USAGE',
      '--with takes no --data-dir: a preview runs in directories of its own and leaves nothing',
    );
  const interrupt = watchInterrupt();
  const interrupted = interrupt.reached;
  try {
    if (options.diff !== true) return await replayFiles({ files, interrupted }, options);
    return await withSpooledInput(files, (spooled) => replayFiles({ files: spooled, interrupted }, options));
  } finally {
    interrupt.end();
  }
}

interface Input {
  readonly files: readonly string[];
  readonly interrupted: Promise<never>;
}

async function replayFiles(input: Input, options: ReplayOptions): Promise<void> {
  const preview = options.with === undefined ? NOTHING : readPreview(options.with);
  const run = await runFiles(input, options.dataDir, preview);
  if (options.diff !== true) return tell(run, options);
  const base = await runFiles(input, undefined, NOTHING);
  const difference = compare(base, run);
  if (options.json === true) return printJson(difference);
  printTable(
    ['', 'without', 'with'],
    [
      ['opened', base.result.alerts.opened, run.result.alerts.opened],
      ['suppressed', base.result.alerts.suppressed, run.result.alerts.suppressed],
    ],
  );
  for (const { alert_id, rule, before, after } of difference.changed)
    printLine(`${alert_id}  ${before} → ${after}  ${plain(rule, 80)}`);
  tellRules(run.rules);
}

const NOTHING: Preview = { documents: [], rules: [] };

interface Run {
  readonly result: ReplayResult;
  /** The latest version of each alert of this run. */
  readonly alerts: ReadonlyMap<string, Alert>;
  /** What the response rules on trial would have done; absent without any. */
  readonly rules?: PlannedByRule;
}

async function runFiles(input: Input, dataDir: string | undefined, preview: Preview): Promise<Run> {
  const config = readConfig({ EYRIE_LOG_LEVEL: 'warn', ...process.env, ...EMBEDDED });
  if (preview.rules.length === 0) return runWith(input, dataDir, preview, config, undefined);
  const trial = mkdtempSync(join(tmpdir(), 'eyrie-rules-'));
  try {
    return await runWith(input, dataDir, preview, config, await writePreviewRules(trial, preview.rules, config));
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

async function runWith(
  input: Input,
  dataDir: string | undefined,
  preview: Preview,
  config: Config,
  rulesDir: string | undefined,
): Promise<Run> {
  if (dataDir !== undefined) return runIn(dataDir, input, preview, config, rulesDir);
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-replay-'));
  try {
    return await runIn(directory, input, preview, config, rulesDir);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runIn(
  directory: string,
  { files, interrupted }: Input,
  { documents }: Preview,
  config: Config,
  rulesDir: string | undefined,
): Promise<Run> {
  const pipeline = await startPipeline({
    dataDir: directory,
    config: rulesDir === undefined ? config : { ...config, EYRIE_RULES_DIR: rulesDir },
    isReplay: true,
    roles: new Set(['processor', 'archiver', ...(rulesDir === undefined ? [] : (['responder'] as const))]),
  });
  const progress = progressLine();
  try {
    await putPreview(pipeline.documents, config.EYRIE_TENANT as TenantId, documents);
    const alertsFrom = await ends(pipeline);
    const started = performance.now();
    let bytes = 0;
    const tick = setInterval(() => progress.show(`${(bytes / 2 ** 20).toFixed(1)} MiB read`), 200);
    try {
      const eventsIn = await Promise.race([
        appendFiles(pipeline.bus, files, {
          tenant: config.EYRIE_TENANT as TenantId,
          cluster: config.EYRIE_CLUSTER as ClusterId,
          now: pipeline.clock.now,
          onBytes: (n) => {
            bytes += n;
          },
        }),
        pipeline.failed,
        interrupted,
      ]);
      await Promise.race([pipeline.finish(), pipeline.failed, interrupted]);
      const seconds = (performance.now() - started) / 1000;
      const alerts = await alertsSince(pipeline, alertsFrom);
      return {
        ...(rulesDir !== undefined && { rules: countByRule(await actionsOf(pipeline)) }),
        alerts: alerts.latest,
        result: await summarise(pipeline, eventsIn, seconds, alerts.opened, alerts.latest),
      };
    } finally {
      clearInterval(tick);
      progress.end();
    }
  } finally {
    await pipeline.stop();
  }
}

function compare(base: Run, run: Run) {
  const changed = [];
  for (const id of new Set([...base.alerts.keys(), ...run.alerts.keys()])) {
    const [one, other] = [base.alerts.get(id), run.alerts.get(id)];
    const [before, after] = [one?.disposition ?? 'absent', other?.disposition ?? 'absent'];
    const rule = (other ?? one)?.rule ?? '';
    if (before !== after) changed.push({ alert_id: id, rule, before, after, reason: other?.disposition_reason });
  }
  return { without: base.result, with: run.result, changed, ...(run.rules !== undefined && { rules: run.rules }) };
}

function tellRules(rules: PlannedByRule | undefined): void {
  if (rules === undefined) return;
  const rows = Object.entries(rules).flatMap(([rule, endings]) =>
    Object.entries(endings).map(([ending, n]) => [rule, ending, n]),
  );
  if (rows.length === 0) printLine('The response rules on trial matched nothing.');
  else printTable(['response rule', 'would end', 'actions'], rows);
}

function tell({ result, rules }: Run, options: ReplayOptions): void {
  if (options.json === true) {
    printJson(rules === undefined ? result : { ...result, rules });
    return;
  }
  tellRules(rules);
  printLine(`${result.events_in} lines in ${result.seconds} s (${result.events_per_second}/s)`);
  const rows = Object.entries(result.outcomes).flatMap(([stage, outcomes]) =>
    Object.entries(outcomes).flatMap(([outcome, reasons]) =>
      Object.entries(reasons).map(([reason, n]) => [stage, outcome, reason, n]),
    ),
  );
  printTable(['stage', 'outcome', 'reason', 'lines'], rows);
  printLine(`${result.alerts.opened} alerts opened, ${result.alerts.suppressed} of them suppressed`);
  printTable(
    ['alerts', 'detection'],
    Object.entries(result.alerts.by_rule)
      .sort((a, b) => b[1] - a[1])
      .map(([rule, n]) => [n, rule]),
  );
  for (const month of result.monthly)
    printLine(`${month.month} ${month.tenant}: ${month.alerts} alerts, ${month.suppressed} suppressed`);
  printLine(result.reconciliation === 0 ? 'judge and SQL agree' : `judge and SQL differ by ${result.reconciliation}`);
}
