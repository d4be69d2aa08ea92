import { plain, printJson, printLine, printTable } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

/** The trail of an event, alert or pod, as the API tells it. */
export async function why(id: string, options: SpeakingOptions): Promise<void> {
  const trail = await openSession(options).why(id);
  if (options.json === true) return printJson(trail);
  printTree(trail, '');
}

function printTree(value: unknown, indent: string): void {
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === 'object' && item !== null) {
        printLine(`${indent}-`);
        printTree(item, `${indent}  `);
      } else printLine(`${indent}- ${plain(item)}`);
    }
    return;
  }
  for (const [key, item] of Object.entries(value as Record<string, unknown>)) {
    if (item === undefined || item === null) continue;
    if (typeof item === 'object') {
      if (Object.keys(item).length === 0) continue;
      printLine(`${indent}${key}:`);
      printTree(item, `${indent}  `);
    } else printLine(`${indent}${key}: ${plain(item)}`);
  }
}

export async function actions(options: SpeakingOptions): Promise<void> {
  const page = await openSession(options).actions();
  if (options.json === true) return printJson(page);
  if (page.items.length === 0)
    return printLine('No action yet. Rules start in dry run; `eyrie rules check DIR` tests them.');
  printTable(
    ['at', 'rule', 'action', 'state', 'reason', 'alert', 'target'],
    page.items.map((row) => [
      row.at.slice(0, 19),
      row.rule_id,
      row.action,
      row.state,
      row.reason,
      row.alert_id,
      row.target,
    ]),
  );
}

export async function deadLetters(options: SpeakingOptions): Promise<void> {
  const page = await openSession(options).deadLetters();
  if (options.json === true) return printJson(page);
  if (page.items.length === 0) return printLine('No dead letters.');
  printTable(
    ['at', 'stage', 'position', 'reason', 'message', 'bytes'],
    page.items.map((row) => [row['at'], row['stage'], positionOf(row), row['reason'], row['message'], row['bytes']]),
  );
}

/** `judged-2/17`: topic, partition and offset; of a line of `raw` its place in the frame too, as `eyrie why raw/0/9/3` takes it. */
function positionOf(row: Readonly<Record<string, unknown>>): string {
  const { partition, offset, index } = row['raw_pos'] as { partition: number; offset: number; index: number };
  const topic = row['topic'] ?? '';
  return topic === '' ? `raw/${partition}/${offset}/${index}` : `${topic}-${partition}/${offset}`;
}
