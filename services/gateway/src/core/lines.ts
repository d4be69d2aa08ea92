import type { BodyForm } from './media.ts';
import { cutArray, endOfObject, isBlank, joinLines, NEWLINE, skipBlank, TOO_MANY } from './scan.ts';

/** Lines of a body: line i lies at starts[i] to ends[i] (without its newline), and a newline follows at ends[i]. */
export interface Lines {
  readonly body: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export type Cut =
  | { readonly ok: true; readonly lines: Lines }
  | { readonly ok: false; readonly kind: 'not_decodable' | 'too_many'; readonly message: string };

const OPEN_ARRAY = 91;
const OPEN_OBJECT = 123;

/**
 * Cuts a body into one line an event. The body must end with a newline and belongs to the caller no more: newlines inside
 * a JSON value are overwritten, the bytes of lines are not copied.
 */
export function cutBody(body: Buffer, form: BodyForm, maxLines: number): Cut {
  const start = hasMark(body) ? 3 : 0;
  if (form === 'lines') return cutLines(body, start, maxLines);
  // One event on one line, as sensors send it: nothing to scan.
  if (body[start] === OPEN_OBJECT && body.indexOf(NEWLINE, start) === body.length - 1) {
    return one(body, start, body.length - 1);
  }
  const first = skipBlank(body, start);
  if (first === body.length) return { ok: false, kind: 'not_decodable', message: 'the body is empty' };
  if (body[first] === OPEN_ARRAY) return cutElements(body, first, maxLines);
  let end = body.length;
  while (isBlank(body[end - 1])) end -= 1;
  if (body[first] === OPEN_OBJECT) {
    const close = endOfObject(body, first);
    const next = skipBlank(body, Math.max(close, 0));
    // Lines of events under the name of JSON are common enough to be read as what they are.
    if (close > 0 && body[next] === OPEN_OBJECT && body.subarray(close, next).includes(NEWLINE)) {
      return cutLines(body, start, maxLines);
    }
  }
  joinLines(body, first, end);
  body[end] = NEWLINE;
  return one(body, first, end);
}

function one(body: Buffer, start: number, end: number): Cut {
  return { ok: true, lines: { body, starts: [start], ends: [end] } };
}

function cutLines(body: Buffer, from: number, maxLines: number): Cut {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let start = from; start < body.length; ) {
    if (starts.length >= maxLines) return { ok: false, kind: 'too_many', message: TOO_MANY };
    const end = body.indexOf(NEWLINE, start);
    starts.push(start);
    ends.push(end);
    start = end + 1;
  }
  return { ok: true, lines: { body, starts, ends } };
}

function cutElements(body: Buffer, open: number, maxLines: number): Cut {
  const cut = cutArray(body, open, maxLines);
  if (!cut.ok) {
    return { ok: false, kind: cut.message === TOO_MANY ? 'too_many' : 'not_decodable', message: cut.message };
  }
  const { starts, ends } = cut;
  for (let i = 0; i < starts.length; i += 1) {
    const end = ends[i] ?? 0;
    joinLines(body, starts[i] ?? 0, end);
    // A comma, blank or bracket stands here: an element never touches the next one.
    body[end] = NEWLINE;
  }
  return { ok: true, lines: { body, starts, ends } };
}

/** UTF-8 byte order mark: not part of any event. */
function hasMark(body: Buffer): boolean {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
}
