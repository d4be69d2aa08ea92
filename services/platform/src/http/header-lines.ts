const LINES_MAX = 20;
/** They frame the request, or are ours. */
const KEPT = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/** Reads `Name: value`, one a line; names in lower case. Undefined when a line is none, or its name may not be set. */
export function parseHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length > LINES_MAX) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name = '', value = ''] =
      /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x21-\x7e](?:[\x20-\x7e]{0,4094}[\x21-\x7e])?)[ \t]*$/.exec(line) ??
      [];
    const key = name.toLowerCase();
    if (key === '' || KEPT.has(key) || Object.hasOwn(headers, key)) return undefined;
    headers[key] = value;
  }
  return { ...headers };
}
