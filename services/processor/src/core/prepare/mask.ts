/**
 * Takes out of a text what changes from run to run (pids, ports, counters, hex and uuids, addresses, temporary names),
 * so that the same behaviour has the same fingerprint. Linear, on text of at most 512 bytes.
 */
export function mask(value: string): string {
  return VOLATILE.test(value) ? value.replace(VOLATILE_PARTS, '*') : value;
}

/** Cheap: most names hold nothing that changes. U+001F separates salient fields and must not come from outside. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const VOLATILE = /[\d\u001f]|tmp|[a-z][A-Z]|[0-9a-fA-F]{8}/;

const VOLATILE_PARTS = new RegExp(
  [
    // uuid
    '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
    // address, with port
    '\\d{1,3}(?:\\.\\d{1,3}){3}(?::\\d+)?',
    '(?:0x)?[0-9a-fA-F]{8,}',
    // Python's tempfile and the like: tmp and at least six more
    '(?<=tmp[._-]?)[A-Za-z0-9_]{6,}',
    // mktemp: six or ten random characters behind a separator, of mixed case or with a digit
    '(?<=[._-])(?=[A-Za-z]{0,9}(?:\\d|[a-z][A-Z]))(?:[A-Za-z0-9]{10}|[A-Za-z0-9]{6})(?![A-Za-z0-9])',
    '(?<=/proc/)\\d+',
    '\\d{2,}',
    '\\u001f',
  ].join('|'),
  'g',
);
