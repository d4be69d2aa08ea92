import { AppError } from '@eyrie/platform/errors';
import type { ApiAlert } from '@eyrie/schemas/api';
import type { z } from 'zod';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

type Alert = z.output<typeof ApiAlert>;

interface ListOptions extends SpeakingOptions {
  readonly limit: number;
  readonly disposition?: Alert['disposition'];
  readonly namespace?: string;
  readonly rule?: string;
}

export async function list(options: ListOptions): Promise<void> {
  const { limit, disposition, namespace, rule } = options;
  const page = await openSession(options).alerts({
    limit,
    ...(disposition === undefined ? {} : { disposition }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(rule === undefined ? {} : { rule }),
  });
  if (options.json === true) return printJson(page);
  if (page.items.length === 0) return printLine('No alerts. `eyrie doctor` says whether the sensors are heard at all.');
  printTable(
    ['alert', 'opened', 'priority', 'count', 'attack', 'disposition', 'where', 'rule'],
    page.items.map((alert) => [
      alert.alert_id,
      alert.opened_at.slice(0, 19),
      alert.priority,
      alert.count,
      `${Math.round((1 - alert.score.fp_score) * 100)} %`,
      alert.disposition,
      placeOf(alert),
      alert.rule,
    ]),
  );
}

export async function show(id: string, options: SpeakingOptions): Promise<void> {
  const detail = await openSession(options).alert(id);
  if (options.json === true) return printJson(detail);
  printAlert(detail.alert);
  for (const action of detail.actions) {
    printLine(`  action   ${plain(action.rule_id)}/${plain(action.action)}: ${action.state} (${action.reason})`);
  }
}

/** One alert in words, with the reasons of its score. */
export function printAlert(alert: Alert): void {
  const score = alert.score as Alert['score'] & {
    reasons?: { feature: string; value: unknown; log_odds: number }[];
    unknown?: string[];
    floor?: string;
    model?: string;
  };
  printLine(`${alert.priority}: ${plain(alert.rule)}`);
  printLine(`  alert    ${alert.alert_id} (version ${alert.version}, ${alert.state}, ${alert.disposition})`);
  printLine(`  where    ${placeOf(alert)}`);
  if (alert['command_line'] !== undefined) printLine(`  command  ${plain(alert['command_line'], 160)}`);
  printLine(`  seen     ${alert.count} × from ${alert.first_seen} to ${alert.last_seen}`);
  printLine(
    `  score    ${Math.round((1 - score.fp_score) * 1000) / 10} % attack, band ${score.band}${score.floor === undefined ? '' : `, kept up by floor ${score.floor}`}`,
  );
  for (const reason of score.reasons ?? []) {
    if (Math.abs(reason.log_odds) < 0.005) continue;
    const sign = reason.log_odds < 0 ? '−' : '+';
    printLine(
      `           ${sign}${Math.abs(reason.log_odds).toFixed(2)}  ${reason.feature} = ${plain(reason.value, 60)}`,
    );
  }
  if ((score.unknown ?? []).length > 0) printLine(`  unknown  ${(score.unknown ?? []).join(', ')}`);
}

function placeOf(alert: Alert): string {
  const identity = alert.identity as Record<string, string | undefined>;
  const { namespace, workload, workload_kind: kind, pod, container } = identity;
  if (workload !== undefined) return plain(`${alert.cluster}/${namespace ?? '?'} ${kind ?? ''} ${workload}`);
  return plain(`${alert.cluster}/${pod ?? container ?? String(alert['host'] ?? 'host')}`);
}

/** Follows the stream and reconnects where it broke off. Ends with the process. */
export async function watch(options: SpeakingOptions): Promise<void> {
  const session = openSession(options);
  let lastEventId: string | undefined;
  for (;;) {
    try {
      for await (const message of session.stream(lastEventId === undefined ? {} : { lastEventId })) {
        lastEventId = message.id === '' ? lastEventId : message.id;
        if (message.event !== 'alert') continue;
        const alert = message.data as Alert;
        if (options.json === true) printJson(alert);
        else {
          printLine(
            `${alert.last_seen.slice(0, 19)}  ${alert.priority.padEnd(13)} ${String(alert['change']).padEnd(9)} ${String(alert.count).padStart(6)} ×  ${placeOf(alert)}  ${plain(alert.rule, 80)}  ${alert.alert_id}`,
          );
        }
      }
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

interface VerdictOptions extends SpeakingOptions {
  readonly verdict?: 'true_positive' | 'false_positive' | 'benign';
  readonly note?: string;
}

export async function verdict(id: string, status: string, options: VerdictOptions): Promise<void> {
  const answer = await openSession(options).verdict(id, {
    status: status as 'resolved',
    ...(options.verdict === undefined ? {} : { verdict: options.verdict }),
    ...(options.note === undefined ? {} : { note: options.note }),
  });
  if (options.json === true) return printJson(answer);
  printLine(
    answer.alert === undefined
      ? `recorded as ${answer.command_id}; the judge has not answered yet`
      : `alert ${id} is ${status}`,
  );
}
