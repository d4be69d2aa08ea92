/** What sensors write for a field they could not fill counts as absent. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '<NA>';
}

/** The text of a value as rules compare it. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
