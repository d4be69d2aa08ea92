/**
 * Finds the one JSON object in a line that has text around it: a CRI prefix (`<time> stdout F {…}`), a journald or
 * syslog prefix, a suffix. Strings are skipped, so braces inside them do not count.
 */
export type Around =
  | { readonly kind: 'object'; readonly value: Readonly<Record<string, unknown>> }
  /** More than one object: taking the first would lose the others in silence. */
  | { readonly kind: 'several' }
  /** An object begins and does not end, or is no JSON. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'text' };

/** A text with more opening braces than this is given up: each may cost a scan of the rest. */
const ATTEMPTS = 8;

export function objectIn(line: string): Around {
  let start = line.indexOf('{');
  for (let attempt = 0; start >= 0 && attempt < ATTEMPTS; attempt += 1) {
    const end = endOfObject(line, start);
    const value = end < 0 ? undefined : parseObject(line.slice(start, end));
    if (value !== undefined) {
      // Start-up text may quote settings; half of an event wrapper is still worth a refusal.
      if (value['rule'] === undefined && !LOOKS_LIKE_EVENT.test(line)) return { kind: 'text' };
      return followedByObject(line, end) ? { kind: 'several' } : { kind: 'object', value };
    }
    start = line.indexOf('{', start + 1);
  }
  return LOOKS_LIKE_EVENT.test(line) ? { kind: 'broken' } : { kind: 'text' };
}

/** Half an event (a partial CRI line, a cut file) must not pass for start-up text. */
const LOOKS_LIKE_EVENT = /^\s*[{[]|\{\s*"(?:rule|output|output_fields|hostname|priority|uuid|time|source)"|"rule"\s*:/;

function followedByObject(line: string, from: number): boolean {
  const next = line.indexOf('{', from);
  if (next < 0) return false;
  const end = endOfObject(line, next);
  return end < 0 ? LOOKS_LIKE_EVENT.test(line.slice(next)) : parseObject(line.slice(next, end)) !== undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Index behind the brace that closes the one at `start`; -1 when there is none. */
function endOfObject(line: string, start: number): number {
  let depth = 0;
  for (let i = start; i < line.length; i += 1) {
    const code = line.charCodeAt(i);
    if (code === 34) {
      i = endOfString(line, i);
      if (i < 0) return -1;
    } else if (code === 123) depth += 1;
    else if (code === 125) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return -1;
}

function endOfString(line: string, quote: number): number {
  for (let i = quote + 1; i < line.length; i += 1) {
    const code = line.charCodeAt(i);
    if (code === 92) i += 1;
    else if (code === 34) return i;
  }
  return -1;
}
