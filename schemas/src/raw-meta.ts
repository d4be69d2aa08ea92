import { isName } from './ids.ts';
import type { RawMeta } from './raw.ts';

const ORIGINS: ReadonlySet<unknown> = new Set<RawMeta['origin']>(['http', 'file', 'topic', 'heartbeat']);

/**
 * Whether what was read is the meta data of a section with at most `linesMax` lines. By hand: it is asked for every post. Others
 * may write to the topic, and one record must not keep a partition from its reader.
 */
export function isRawMeta(value: unknown, linesMax: number): value is RawMeta {
  if (!isObject(value)) return false;
  const { tenant, cluster, header_cluster: header, cluster_field: field, received_at: at, origin, lines } = value;
  return (
    typeof tenant === 'string' &&
    isName(tenant) &&
    typeof cluster === 'string' &&
    (cluster === '*' || isName(cluster)) &&
    (header === undefined || typeof header === 'string') &&
    (field === undefined || typeof field === 'string') &&
    Number.isSafeInteger(at) &&
    ORIGINS.has(origin) &&
    isCount(lines) &&
    lines <= linesMax &&
    (value['oversize'] === undefined || isListOf(value['oversize'], isOversize)) &&
    (value['record'] === undefined || isRecord(value['record'])) &&
    (value['cursor'] === undefined || isCursor(value['cursor']))
  );
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isListOf(value: unknown, isOne: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isOne);
}

function isOversize(value: unknown): boolean {
  return isObject(value) && isCount(value['index']) && isCount(value['bytes']) && typeof value['sha256'] === 'string';
}

function isRecord(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { topic, partition, first, last } = value;
  return typeof topic === 'string' && isCount(partition) && isCount(first) && isCount(last);
}

function isCursor(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { agent, file, start, end } = value;
  return typeof agent === 'string' && typeof file === 'string' && isCount(start) && isCount(end);
}
