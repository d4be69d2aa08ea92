import { AppError } from '@eyrie/platform/errors';
import { plain, printJson, printLine, progressLine } from './print.ts';
import type { openSession } from './session.ts';

interface Waiting {
  /** `*`: any. */
  readonly cluster: string;
  /** Milliseconds. */
  readonly wait: number;
  readonly json?: boolean;
  /** What to look at when nothing comes. */
  readonly hint: string;
}

const LOOK_MS = 1_000;

/** Waits for the first event of a cluster from now on and shows it, and meanwhile what was refused. @throws AppError EYRIE_SEND_FAILED */
export async function firstEvent(
  session: ReturnType<typeof openSession>,
  { cluster, wait, json, hint }: Waiting,
  told: Readonly<Record<string, unknown>>,
): Promise<void> {
  const which = cluster === '*' ? {} : { cluster };
  const progress = progressLine();
  const started = Date.now();
  const from = new Date(started).toISOString();
  let refused = '';
  while (Date.now() - started < wait) {
    const event = (await session.events({ ...which, received_from: from, limit: 1 })).items[0];
    if (event !== undefined) {
      progress.end();
      if (json === true) return printJson({ ...told, first_event: event });
      return printLine(
        `Connected: ${plain(event['priority'])} ${plain(event['rule'], 100)} from ${plain(event['host'] ?? '?')} (event ${plain(event['event_id'])})`,
      );
    }
    const refusal = (await session.health({ kind: 'refused', limit: 1 })).items[0];
    const text =
      refusal === undefined || String(refusal['received_at'] ?? '') < from.slice(0, 19)
        ? ''
        : `${plain(refusal['code'])} ${plain(refusal['fields'] === undefined ? '' : JSON.stringify(refusal['fields']), 200)}`;
    if (text !== '' && text !== refused && json !== true) {
      progress.end();
      printLine(`Refused: ${text}`);
    }
    refused = text;
    progress.show(`waiting ${Math.round((Date.now() - started) / 1000)} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  progress.end();
  throw new AppError(
    'EYRIE_SEND_FAILED',
    `no event of ${cluster} came in ${Math.round(wait / 1000)} s${refused === '' ? `: ${hint}` : `; the last refusal was ${refused}`}`,
  );
}
