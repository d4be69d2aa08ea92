import { hash } from 'node:crypto';
import type { ClusterId, EventId, FalcoEvent, TenantId } from '@eyrie/schemas';
import type { FieldName, Memos } from './memo.ts';
import type { Source } from './source.ts';
import { canonical } from './values.ts';

/**
 * The id of an observation: the same by every route and delivery (direct, through falcosidekick, repeated), another for
 * any other observation. Made of what was observed, in canonical form: never of tags, of `uuid`, of the output text
 * (but where there is nothing else), or of fields a route adds.
 */
export function eventId(
  place: { readonly tenant: TenantId; readonly cluster: ClusterId; readonly source: string },
  falco: FalcoEvent,
  source: Source,
  memos: Memos,
): EventId {
  const parts = contentParts(falco.output_fields, source, memos);
  if (parts.length === 0) parts.push(part('output', canonical(falco.output) ?? ''));
  let identity = 'event/1';
  for (const value of [place.tenant, place.cluster, place.source, falco.hostname ?? '', falco.time, falco.rule]) {
    identity += part('', value);
  }
  for (const content of parts) identity += content;
  return hash('sha256', identity, 'hex').slice(0, 32) as EventId;
}

/** One text for each field of content, in the order of their names. */
function contentParts(fields: FalcoEvent['output_fields'], source: Source, memos: Memos): string[] {
  const parts: string[] = [];
  let last = '';
  let sorted = true;
  for (const key in fields) {
    const { name, content } = fieldName(key, source, memos);
    if (!content) continue;
    const value = canonical(fields[key]);
    if (value === undefined) continue;
    if (name < last) sorted = false;
    last = name;
    parts.push(part(name, value));
  }
  // Sensors write their fields sorted; renamed and shuffled ones are the exception.
  return sorted ? parts : parts.sort();
}

/** The length keeps a value from passing for several. U+001F sorts below any character of a name. */
function part(name: string, value: string): string {
  return `\u001e${name}\u001f${value.length}\u001f${value}`;
}

function fieldName(key: string, source: Source, memos: Memos): FieldName {
  const memoKey = source.name === undefined || source.name === 'syscall' ? key : `${source.name}\u001f${key}`;
  const known = memos.fieldNames.get(memoKey);
  if (known !== undefined) return known;
  const name = canonicalName(key);
  return memos.fieldNames.set(memoKey, { name, content: source.isContent(name) });
}

/** falcosidekick can rename `proc.aname[2]` to `proc.aname_2`. */
export function canonicalName(key: string): string {
  return key.includes('[') ? key.replaceAll('[', '_').replaceAll(']', '') : key;
}
