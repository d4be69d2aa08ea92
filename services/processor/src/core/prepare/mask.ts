/**
 * Takes out of a text what changes from run to run (pids, ports, counters, hex and uuids, addresses, temporary names),
 * so that the same behaviour has the same fingerprint. Linear, on text of at most 512 bytes.
 */
export function mask(value: string): string {
  return VOLATILE.test(value) ? value.replace(VOLATILE_PARTS, '*') : value;
}

/** Cheap: most names hold neither digit nor temporary part. U+001F separates salient fields. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the separator must not come from outside
const VOLATILE = /[\d\u001e\u001f]|tmp|[0-9a-f]{8}/i;

const VOLATILE_PARTS = new RegExp(
  [
    '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
    '\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d+)?',
    '(?:0x)?[0-9a-f]{8,}',
    // mktemp, Python's tempfile, Go's MkdirTemp: a prefix and at least six random characters
    '(?<=tmp[._-]?)[a-z0-9_]{6,}',
    '(?<=/proc/)\\d+',
    '\\d{2,}',
    '[\\u001e\\u001f]',
  ].join('|'),
  'gi',
);
