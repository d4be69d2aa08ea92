import { AppError } from '@eyrie/platform/errors';
import { decodeCursor } from '../core/cursor.ts';

/** Where the page before ended; empty for the first page. @throws AppError EYRIE_HTTP_BAD_REQUEST */
export function keysOf(list: string, cursor: string | undefined, length: number): readonly string[] {
  if (cursor === undefined) return [];
  const keys = decodeCursor(list, cursor, length);
  if (keys === undefined) {
    throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'querystring/cursor: is no next_cursor of this list with this sort');
  }
  return keys;
}
