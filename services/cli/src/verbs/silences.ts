import { AppError } from '@eyrie/platform/errors';
import { isMatchField, MATCH_FIELDS, type Matcher } from '@eyrie/schemas';
import { plain, printJson, printLine, printTable } from '../print.ts';
import { openSession, type SpeakingOptions } from '../session.ts';

const OPERATORS = { '!=': '!=', '^=': 'startswith', '~=': 'contains', '=': '=' } as const;

/** `namespace=shop`, `image!=x`, `command_line^=apt `, `pod~=web`. @throws AppError EYRIE_USAGE */
export function parseMatcher(text: string): Matcher {
  const match = /^([a-z_]+)(!=|\^=|~=|=)(.*)$/s.exec(text);
  const op = OPERATORS[match?.[2] as keyof typeof OPERATORS];
  if (match === null || op === undefined) {
    throw new AppError(
      'EYRIE_USAGE',
      `"${text}" is no matcher: use field=value, field!=value, field^=prefix or field~=part`,
    );
  }
  const field = match[1] ?? '';
  if (!isMatchField(field)) {
    throw new AppError('EYRIE_USAGE', `"${text}": there is no field ${field}; use one of ${MATCH_FIELDS.join(', ')}`);
  }
  return { field, op, value: match[3] ?? '' };
}

interface AddOptions extends SpeakingOptions {
  readonly for: number;
  readonly comment: string;
}

export async function add(matchers: readonly string[], options: AddOptions): Promise<void> {
  const made = await openSession(options).addSilence({
    matchers: matchers.map(parseMatcher) as never,
    ends_at: new Date(Date.now() + options.for).toISOString(),
    comment: options.comment,
  });
  if (options.json === true) return printJson(made);
  printLine(`silence ${made.id} until it ends; \`eyrie silences expire ${made.id}\` ends it now`);
}

export async function list(options: SpeakingOptions): Promise<void> {
  const page = await openSession(options).silences();
  if (options.json === true) return printJson(page);
  if (page.items.length === 0) return printLine('No silences.');
  printTable(
    ['id', 'author', 'version', 'body'],
    page.items.map((item) => [item.id, item.author, item.version, plain(JSON.stringify(item.body))]),
  );
}

export async function expire(id: string, options: SpeakingOptions): Promise<void> {
  const removed = await openSession(options).removeSilence(id);
  if (options.json === true) return printJson(removed);
  printLine(`silence ${id} ended`);
}
