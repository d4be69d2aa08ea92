/**
 * Where a client of the stream stands: the next offset of every partition, beside the name of the log they belong to.
 * Travels as the id of server-sent events: `<log>:<next of 0>,<next of 1>,…`
 */
export interface StreamPosition {
  readonly log: string;
  readonly next: readonly number[];
}

const FORM = /^([0-9a-zA-Z_-]{1,64}):(\d{1,15}(?:,\d{1,15}){0,255})$/;

export function encodePosition({ log, next }: StreamPosition): string {
  return `${log}:${next.join(',')}`;
}

/** Undefined when the text is no position of ours. */
export function decodePosition(text: string): StreamPosition | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  return { log: match[1] ?? '', next: (match[2] ?? '').split(',').map(Number) };
}
