import { maskField, maskSecrets } from '@eyrie/platform/mask';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what could end a line or turn the text around
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/g;
const VALUE_MAX = 2_000;

/**
 * Text of an event as a code span of one line. Quick actions are read line by line, even within code and comments, so no such
 * text may begin a line; mentions, references, links, images and HTML mean nothing within code.
 */
export function codeSpan(text: string, maximum = VALUE_MAX): string {
  const line = oneLine(text, maximum);
  if (line === '') return '–';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A space each side is taken away by the reader, and keeps backticks of the text from the fence.
  return `${fence} ${line} ${fence}`;
}

/** The same of a field, whose name may say that it is a secret. */
export function fieldSpan(name: string, value: string | number | boolean, maximum = VALUE_MAX): string {
  return codeSpan(typeof value === 'string' ? maskField(name, value) : String(value), maximum);
}

/** A title is no Markdown: one line, bounded. */
export function titleOf(text: string): string {
  return oneLine(text, 200);
}

function oneLine(text: string, maximum: number): string {
  const line = maskSecrets(text).replace(CONTROL, ' ').trim();
  return line.length > maximum ? `${line.slice(0, maximum - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}
