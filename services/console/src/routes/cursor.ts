import { AppError } from '@eyrie/platform/errors';
import { type Nanos, parseNanos } from '@eyrie/schemas';
import { decodeCursor, encodeCursor } from '../core/cursor.ts';

/** Where the page before ended; empty for the first page. @throws AppError EYRIE_HTTP_BAD_REQUEST */
export function keysOf(list: string, cursor: string | undefined, length: number): readonly string[] {
  if (cursor === undefined) return [];
  const keys = decodeCursor(list, cursor, length);
  if (keys === undefined) throw foreignCursor();
  return keys;
}

/** Lists ordered by time and id: the position of the last entry given. @throws AppError EYRIE_HTTP_BAD_REQUEST */
export function afterOf(list: string, cursor: string | undefined): { time: Nanos; id: string } | undefined {
  const [iso, id] = keysOf(list, cursor, 2);
  if (iso === undefined || id === undefined) return undefined;
  const time = parseNanos(iso);
  if (time === undefined) throw foreignCursor();
  return { time, id };
}

/** The cursor that goes on after an entry. */
export function cursorAt(list: string, iso: string, id: string): string {
  return encodeCursor(list, [iso, id]);
}

function foreignCursor(): AppError {
  return new AppError('EYRIE_HTTP_BAD_REQUEST', 'querystring/cursor: is no next_cursor of this list with this sort');
}
