import { LIMITS } from '@eyrie/schemas';

/** Text of a field, or undefined. Templated fields are text even where the sensor writes numbers. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' || value === '<NA>' ? undefined : value;
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object') return String(value);
  return Array.isArray(value) && value.length > 0 ? value.map((item) => text(item) ?? '').join(',') : undefined;
}

/** An integer a double holds exactly. Never −0, which JSON would not bring back. */
export function integer(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number + 0 : undefined;
}

/** A uid; unset ones (-1, or its unsigned form) are absent. */
export function userId(value: unknown): number | undefined {
  const id = integer(value);
  return id === undefined || id < 0 || id === 4_294_967_295 ? undefined : id;
}

export function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** What a field holds where there was nothing to say. */
export function isAbsent(value: unknown): boolean {
  if (typeof value === 'string') return value === '' || value === '<NA>';
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

/**
 * One form for a value by whatever route it came: numbers and their text are the same (JSON already rounded integers
 * beyond 2^53), lists have no order, long text ends where falcosidekick would cut it. Absent ones are "".
 */
export function canonical(value: unknown): string {
  if (isAbsent(value)) return '';
  if (typeof value === 'string') {
    return value.length >= 16 && LONG_INTEGER.test(value) ? String(Number(value)) : cut(value);
  }
  if (typeof value !== 'object') return String(value);
  if (!Array.isArray(value)) return cut(JSON.stringify(value));
  return value
    .map(canonical)
    .sort()
    .map((item) => `${item.length}:${item}`)
    .join('');
}

const LONG_INTEGER = /^-?\d{16,20}$/;
const CUT_MARK = '[...]';
const CUT_BYTES = LIMITS.canonicalStringBytes - CUT_MARK.length;

/**
 * falcosidekick replaces text of more than 512 bytes by its first 507 and `[...]`. Whole and cut copies both become those
 * 507 bytes; a character torn by the cut (which arrives as one to three U+FFFD, torn again here) as one U+FFFD.
 */
export function cut(value: string): string {
  // No character of UTF-16 takes more than three bytes.
  if (value.length * 3 < LIMITS.canonicalStringBytes) return value;
  const bytes = Buffer.byteLength(value);
  const isCut = bytes === LIMITS.canonicalStringBytes && value.endsWith(CUT_MARK);
  if (bytes <= LIMITS.canonicalStringBytes && !isCut) return value;
  return Buffer.from(value).toString('utf8', 0, CUT_BYTES);
}
