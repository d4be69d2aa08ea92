/**
 * Finds where JSON values end without parsing them: strings are skipped, brackets counted. What lies between two cuts may
 * still be no JSON; that is for the check of the line to say, and does not spoil its neighbours.
 */
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

export const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;

/** Bytes JSON allows between tokens. */
export function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === NEWLINE || byte === RETURN || byte === 9;
}

export function skipBlank(body: Buffer, from: number): number {
  let at = from;
  while (at < body.length && isBlank(body[at])) at += 1;
  return at;
}

export type ArrayCut =
  | { readonly ok: true; readonly starts: readonly number[]; readonly ends: readonly number[] }
  | { readonly ok: false; readonly message: string };

/** The elements of the array that opens at `open`. Nothing but blanks may follow it. */
export function cutArray(body: Buffer, open: number, maxElements: number): ArrayCut {
  const starts: number[] = [];
  const ends: number[] = [];
  let start = skipBlank(body, open + 1);
  if (body[start] === CLOSE_ARRAY) return closed(body, start, starts, ends);
  let depth = 1;
  for (let at = start; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      depth += 1;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY || byte === COMMA) {
      if (byte !== COMMA) depth -= 1;
      const ends_array = depth === 0;
      if (!ends_array && (byte !== COMMA || depth > 1)) continue;
      if (ends_array && byte !== CLOSE_ARRAY) return { ok: false, message: 'the array is closed by a brace' };
      let end = at;
      while (end > start && isBlank(body[end - 1])) end -= 1;
      if (end === start) return { ok: false, message: `element ${starts.length} of the array is empty` };
      if (starts.length >= maxElements) return { ok: false, message: TOO_MANY };
      starts.push(start);
      ends.push(end);
      if (ends_array) return closed(body, at, starts, ends);
      start = skipBlank(body, at + 1);
      at = start - 1;
    }
  }
  return { ok: false, message: 'the array does not end' };
}

/** The only message of `cutArray` that speaks of size. */
export const TOO_MANY = 'too many events in one body';

function closed(body: Buffer, at: number, starts: readonly number[], ends: readonly number[]): ArrayCut {
  return skipBlank(body, at + 1) === body.length
    ? { ok: true, starts, ends }
    : { ok: false, message: 'text follows the array' };
}

/** Index behind the object that opens at `open`, or -1 when it does not end. */
export function endOfObject(body: Buffer, open: number): number {
  let depth = 0;
  for (let at = open; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at);
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return -1;
}

/**
 * Makes one line of a text in place: newlines between tokens become spaces. Inside a string, where JSON forbids them,
 * they become returns, which it forbids as well: what was no JSON must not turn into some.
 */
export function joinLines(body: Buffer, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      const close = Math.min(endOfString(body, at), end);
      for (let inside = at; inside < close; inside += 1) if (body[inside] === NEWLINE) body[inside] = RETURN;
      at = close;
    } else if (byte === NEWLINE) body[at] = SPACE;
  }
}

/** Index of the quote that closes the string opened at `quote`, or the length of the body. */
function endOfString(body: Buffer, quote: number): number {
  for (let at = quote + 1; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at;
  }
  return body.length;
}
