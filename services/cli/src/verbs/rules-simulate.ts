import { type SimulationReport, simulateRules } from '@eyrie/responder';
import { type HistoryOptions, historySettings, quietConfig, withHistory } from '../history.ts';
import { plain, printJson, printLine, printTable, progressLine } from '../print.ts';

interface SimulateOptions extends HistoryOptions {
  readonly json?: boolean;
}

const SHOWN = 30;

/** What the rules of a directory would have done to stored history. Nothing runs, nobody is asked. */
export async function simulate(dir: string, options: SimulateOptions): Promise<void> {
  const config = quietConfig();
  const settings = historySettings(options, config);
  const progress = progressLine();
  const report = await withHistory(options.dataDir, config, (select) =>
    simulateRules(dir, select, {
      ...settings,
      onProgress: (at, events) => progress.show(`${new Date(at).toISOString().slice(0, 16)}  ${events} events`),
    }),
  ).finally(() => progress.end());
  if (options.json === true) printJson(report);
  else tell(report);
}

function tell({
  history,
  rules,
  by_day: cells,
  peak_per_minute: peak,
  ledger,
  bounds,
  from,
  to,
}: SimulationReport): void {
  printLine(`${from.slice(0, 16)} to ${to.slice(0, 16)}: ${historyText(history)}`);
  if (history.events === 0) return;
  printTable(
    [
      'rule',
      'mode',
      'actions',
      'guards unknown',
      'most a day',
      'most a minute',
      'held back or denied',
      'alerts: real / false / not judged',
    ],
    rules.map((rule) => [
      rule.rule,
      rule.mode,
      rule.actions,
      rule.guard_unknown,
      rule.peak_per_day?.actions ?? 0,
      rule.peak_per_minute?.actions ?? 0,
      reasons({ ...rule.suppressed, ...rule.denied }),
      `${rule.verdicts.true_positive} / ${rule.verdicts.false_positive + rule.verdicts.benign} / ${rule.verdicts.none}`,
    ]),
  );
  if (peak !== undefined)
    printLine(`Most in one minute, all rules together: ${peak.actions} at ${peak.at.slice(0, 16)}`);
  if (cells.length > 0) {
    printLine();
    printTable(
      ['day', 'rule', 'namespace', 'actions'],
      cells.slice(0, SHOWN).map(({ day, rule, namespace, actions }) => [day, rule, namespace, actions]),
    );
    if (cells.length > SHOWN) printLine(`… and ${cells.length - SHOWN} more (--json)`);
  }
  tellLedger(ledger);
  if (bounds.length > 0) printLine(`Not all was remembered (${bounds.join(', ')}): some may count twice.`);
}

function tellLedger({ examples, complete, ...counts }: SimulationReport['ledger']): void {
  const { same, different, live_only: live, simulated_only: simulated, carried_over: before } = counts;
  printLine();
  printLine(
    `Against the ledger: ${same} decided the same, ${different} otherwise, ${live} by live rules alone, ` +
      `${simulated} in the simulation alone, ${before} decided before the span${complete ? '' : ' (the ledger holds more than is compared)'}`,
  );
  if (examples.length === 0) return;
  printTable(
    ['rule', 'alert', 'target', 'live', 'simulated'],
    examples.map((one) => [one.rule_id, one.alert_id, one.target, one.live ?? '—', one.simulated ?? '—']),
  );
}

function historyText({ events, alert_versions: versions, first, last, days }: SimulationReport['history']): string {
  if (first === undefined || last === undefined) return 'no history is stored of that time';
  return plain(
    `${events} events and ${versions} versions of alerts over ${days} days, ${first.slice(0, 16)} to ${last.slice(0, 16)}`,
  );
}

function reasons(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}
