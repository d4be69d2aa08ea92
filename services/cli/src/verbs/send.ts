import { statSync } from 'node:fs';
import { printJson, printLine, progressLine } from '../print.ts';
import { sendFiles } from '../send.ts';

interface SendVerbOptions {
  readonly url: string;
  readonly token: string;
  readonly rate?: number;
  readonly batch: number;
  readonly state?: string;
  readonly json?: boolean;
}

export async function send(files: readonly string[], options: SendVerbOptions): Promise<void> {
  const total = files.reduce(
    (sum, file) => sum + (file === '-' ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0)),
    0,
  );
  const progress = progressLine();
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  process.once('SIGTERM', () => abort.abort());
  const result = await sendFiles({
    files,
    url: options.url,
    token: options.token,
    batch: options.batch,
    signal: abort.signal,
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.state === undefined ? {} : { stateFile: options.state }),
    onProgress: (p) => {
      const share = total > 0 ? `${bar(Math.min(1, p.bytes / total))} ` : '';
      const waiting =
        p.waiting === undefined ? '' : `  waiting ${Math.ceil(p.waiting.ms / 1000)} s: ${p.waiting.reason}`;
      progress.show(`${share}${p.sent} sent, ${Math.round(p.eventsPerSecond)}/s${waiting}`);
    },
  }).finally(() => progress.end());
  if (options.json === true) printJson(result);
  else printLine(`${result.sent} sent, ${result.accepted} accepted, ${result.rejected} rejected`);
}

function bar(share: number): string {
  const filled = Math.round(share * 20);
  return `[${'#'.repeat(filled)}${'.'.repeat(20 - filled)}] ${String(Math.round(share * 100)).padStart(3)} %`;
}
