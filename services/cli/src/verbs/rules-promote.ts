import { join } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { type PromoteOptions as PromoteSettings, type Promotion, promoteRule } from '@eyrie/responder';
import type { WorkloadSnapshot } from '@eyrie/schemas';
import { createApiClient } from '../api-client.ts';
import { type HistoryOptions, historySettings, quietConfig, withHistory } from '../history.ts';
import { plain, printJson, printLine, progressLine } from '../print.ts';
import { readReadyFile } from '../ready.ts';

interface PromoteOptions extends Omit<HistoryOptions, 'to'> {
  /** The mode; history ends now. */
  readonly to: 'enforce';
  readonly maxPerDay: number;
  readonly minHistory: number;
  readonly maxWorkloadShare: number;
  readonly json?: boolean;
}

const PODS_PAGE = 500;

/** Sets a rule to enforce in its file, when stored history gives no reason against it. */
export async function promote(rule: string, dir: string, { to: _, ...options }: PromoteOptions): Promise<void> {
  const config = quietConfig();
  const progress = progressLine();
  const inventory = inventoryOf(options.dataDir);
  const settings: PromoteSettings = {
    ...historySettings(options, config),
    limits: {
      maxPerDay: options.maxPerDay,
      minHistoryMs: options.minHistory,
      maxWorkloadShare: options.maxWorkloadShare,
    },
    ...(inventory !== undefined && { inventory }),
    onProgress: (at, events) => progress.show(`${new Date(at).toISOString().slice(0, 16)}  ${events} events`),
  };
  const promotion = await withHistory(options.dataDir, config, (select) =>
    promoteRule(dir, rule, select, settings),
  ).finally(() => progress.end());
  if (options.json === true) {
    printJson(promotion);
    // The refusals are in it; an error beside it would be a second value.
    if (promotion.refusals.length > 0) process.exitCode = 1;
    return;
  }
  if (promotion.refusals.length > 0) {
    throw new AppError('EYRIE_RULE_INVALID', `${rule} stays as it is: ${plain(promotion.refusals.join('; '), 2_000)}`);
  }
  tell(promotion, join(dir, promotion.file));
}

function tell({ rule, report, changes }: Promotion, file: string): void {
  const outcome = report.rules[0];
  printLine(
    `${rule} enforces from now on. In ${report.history.days} days of history: ${outcome?.actions ?? 0} actions, ` +
      `${outcome?.peak_per_day?.actions ?? 0} on the busiest day, ${outcome?.guard_unknown ?? 0} with guards that nobody could ask.`,
  );
  printLine(`--- ${file}`);
  printLine(`+++ ${file}`);
  for (const { line, before, after } of changes) {
    printLine(`@@ line ${line} @@`);
    const isKept = after[0] === before;
    printLine(`${isKept ? ' ' : '-'}${plain(before)}`);
    for (const text of isKept ? after.slice(1) : after) printLine(`+${plain(text)}`);
  }
}

/** The pods the process of the data directory knows of a namespace; undefined where none runs. */
function inventoryOf(dataDir: string): PromoteSettings['inventory'] {
  const ready = readReadyFile(join(dataDir, 'ready.json'));
  if (ready === undefined) return undefined;
  const client = createApiClient({ url: ready.console, token: ready.api_token });
  return async (cluster, namespace) => {
    const found: WorkloadSnapshot[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await client.workloads({ cluster, namespace, limit: PODS_PAGE, cursor });
      found.push(...page.items);
      cursor = page.next_cursor;
      if (cursor === undefined) return found;
    }
  };
}
