/**
 * Rewrites an event as falcosidekick does, after its source: decode with exact numbers, new uuid, keys in Go's order,
 * maps sorted, tags sorted with its own added, zeros of the time trimmed, brackets renamed, custom and templated fields,
 * text over 512 bytes cut when the payload is over 4,096, `<`, `>`, `&` escaped.
 */
export interface SidekickOptions {
  readonly customFields?: Readonly<Record<string, string>>;
  readonly customTags?: readonly string[];
  readonly bracketReplacer?: string;
  readonly uuid: string;
}

const PAYLOAD_BYTES = 4_096;
const TEXT_BYTES = 512;
const KEPT_BYTES = 507;

/** Undefined where falcosidekick answers 400. */
export function rewriteAsSidekick(line: string, options: SidekickOptions): string | undefined {
  // Integers beyond 2^53 as text with a mark, so that they survive.
  const event = JSON.parse(line.replace(/:\s*(\d{16,})(?=[,}\s])/g, ':"@$1@"')) as Record<string, unknown>;
  const fields = event['output_fields'] as Record<string, unknown> | undefined;
  if (fields === undefined || Object.keys(fields).length === 0) return undefined;
  const renamed = Object.entries({ ...fields, ...options.customFields }).map(
    ([key, value]) => [rename(key, options.bracketReplacer), value] as const,
  );
  const payload = {
    uuid: options.uuid,
    output: event['output'],
    priority: event['priority'],
    rule: event['rule'],
    time: String(event['time']).replace(/\.?0+Z$/, 'Z'),
    output_fields: sorted(renamed),
    source: event['source'] ?? 'syscalls',
    tags: tagsOf(event['tags'] as readonly string[] | undefined, options.customTags),
    hostname: event['hostname'] === '' ? undefined : event['hostname'],
  };
  if (goBytes(payload) > PAYLOAD_BYTES)
    payload.output_fields = sorted(renamed.map(([key, value]) => [key, cut(value)]));
  return toGo(payload);
}

function rename(key: string, replacer: string | undefined): string {
  return replacer === undefined ? key : key.replaceAll('[', replacer).replaceAll(']', '');
}

function tagsOf(tags: readonly string[] = [], custom: readonly string[] = []): readonly string[] | undefined {
  const all = [...tags, ...custom].sort();
  return all.length === 0 ? undefined : all;
}

function sorted(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function cut(value: unknown): unknown {
  if (typeof value !== 'string' || Buffer.byteLength(value) <= TEXT_BYTES) return value;
  // Go cuts bytes; its JSON encoder writes U+FFFD for each byte of a torn character.
  const bytes = Buffer.from(value).subarray(0, KEPT_BYTES);
  let whole = bytes.length;
  while (whole > 0 && bytes.subarray(0, whole).toString('utf8').endsWith('\ufffd')) whole -= 1;
  return `${bytes.toString('utf8', 0, whole)}${'\ufffd'.repeat(bytes.length - whole)}[...]`;
}

function toGo(payload: object): string {
  return JSON.stringify(payload)
    .replace(/"@(\d+)@"/g, '$1')
    .replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
}

function goBytes(payload: object): number {
  return Buffer.byteLength(toGo(payload));
}
