/**
 * Cursors of pages: the sort keys of the last entry given, with the name of the list they belong to.
 * Opaque to callers, and without secrets: the tenant always comes from the token.
 */
export function encodeCursor(list: string, keys: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...keys])).toString('base64url');
}

/** The keys of a cursor; undefined when it is none of this list. */
export function decodeCursor(list: string, text: string, length: number): readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || value.length !== length + 1 || value[0] !== list) return undefined;
  return value.every((key) => typeof key === 'string') ? value.slice(1) : undefined;
}

/** The first `limit` entries, and the last of them if more follow. */
export function cut<T>(entries: readonly T[], limit: number): { readonly items: readonly T[]; readonly last?: T } {
  const items = entries.slice(0, limit);
  const last = items.at(-1);
  return entries.length > limit && last !== undefined ? { items, last } : { items };
}
