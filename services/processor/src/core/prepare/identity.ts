import { hash } from 'node:crypto';
import type { ClusterId, EventId, FalcoEvent, TenantId } from '@eyrie/schemas';
import type { FieldName, Habit, Memos } from './memo.ts';
import type { Source } from './source.ts';
import { canonical, isAbsent } from './values.ts';

export interface Observed {
  readonly event_id: EventId;
  /** Field names, as written, that say nothing. */
  readonly missing: readonly string[] | undefined;
}

/**
 * The id of an observation: the same by every route and delivery (direct, through falcosidekick, repeated), another for
 * any other observation. Made of what was observed, in canonical form: never of tags, of `uuid`, of the output text
 * (but where there is nothing else), or of fields a route adds.
 */
export function observe(
  place: { readonly tenant: TenantId; readonly cluster: ClusterId; readonly source: string },
  falco: FalcoEvent,
  source: Source,
  { order }: Habit,
  memos: Memos,
): Observed {
  // JSON of a flat list: no value can pass for several, and it is the cheapest way to one flat text.
  const identity = [VERSION, place.tenant, place.cluster, place.source, falco.hostname ?? '', falco.time, falco.rule];
  const fields = falco.output_fields;
  const start = identity.length;
  let missing: string[] | undefined;
  let last = '';
  let sorted = true;
  let at = 0;
  for (const key in fields) {
    let field = order[at];
    if (field?.key !== key) {
      field = fieldName(key, source, place.source, memos);
      if (at < ORDER_MAX) order[at] = field;
    }
    at += 1;
    const value = fields[key];
    if (isAbsent(value)) {
      missing ??= [];
      missing.push(key);
      continue;
    }
    const { name, content } = field;
    if (!content) continue;
    if (name < last) sorted = false;
    last = name;
    identity.push(name, canonical(value));
  }
  if (identity.length === start) identity.push('output', canonical(falco.output));
  // Sensors write their fields sorted; renamed and shuffled ones are the exception.
  const text = JSON.stringify(sorted ? identity : sortPairs(identity, start));
  return { event_id: hash('sha256', text, 'hex').slice(0, 32) as EventId, missing };
}

const VERSION = 'event/1';

function sortPairs(list: readonly string[], start: number): readonly string[] {
  const pairs: [string, string][] = [];
  for (let i = start; i < list.length; i += 2) pairs.push([list[i] ?? '', list[i + 1] ?? '']);
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1));
  return [...list.slice(0, start), ...pairs.flat()];
}

const ORDER_MAX = 128;

function fieldName(key: string, source: Source, word: string, memos: Memos): FieldName {
  const memoKey = source.name === 'syscall' ? key : `${word}\u001f${key}`;
  const known = memos.fieldNames.get(memoKey);
  if (known !== undefined) return known;
  const name = canonicalName(key);
  return memos.fieldNames.set(memoKey, { key, name, content: source.isContent(name, word) });
}

/** falcosidekick can rename `proc.aname[2]` to `proc.aname_2`. */
export function canonicalName(key: string): string {
  return key.includes('[') ? key.replaceAll('[', '_').replaceAll(']', '') : key;
}
