import type { ActionContext, Alert, Event, Identity, Priority } from '@eyrie/schemas';
import type { Fields } from './rules/conditions.ts';

const FIELDS_MAX = 96;
const VALUE_MAX = 1_024;
const CONTEXT_MAX = 16_384;
const SUMMARY_MAX = 1_024;

/** What actions may know of an event: the names of the columns, then the sensor's own fields; bounded. */
export function eventContext(event: Event, identity: Identity, output: string, outputFields: Fields): ActionContext {
  return bound(event.rule, event.priority, output, [
    ...Object.entries(identity),
    ...Object.entries(event).filter(([name]) => !INTERNAL.has(name)),
    ...Object.entries(outputFields),
  ]);
}

/** What actions may know of an alert without its event. */
export function alertContext(alert: Alert): ActionContext {
  const { host, process_name, command_line, file_name } = alert;
  return bound(alert.rule, alert.priority, command_line ?? process_name ?? '', [
    ...Object.entries(alert.identity),
    ...Object.entries({ host, process_name, command_line, file_name, count: alert.count, source: alert.source }),
  ]);
}

const INTERNAL = new Set([
  'v',
  'event_id',
  'tenant',
  'cluster',
  'rule',
  'priority',
  'routing_key',
  'salient',
  'raw_pos',
]);

function bound(
  rule: string,
  priority: Priority,
  summary: string,
  entries: readonly (readonly [string, unknown])[],
): ActionContext {
  const fields: Record<string, string | number | boolean> = Object.create(null);
  let left = CONTEXT_MAX;
  let count = 0;
  for (const [name, value] of entries) {
    if (count === FIELDS_MAX) break;
    if (name.length > 128 || name === '__proto__' || Object.hasOwn(fields, name)) continue;
    const kept = scalar(value);
    if (kept === undefined) continue;
    const size = name.length + (typeof kept === 'string' ? kept.length : 8);
    if (size > left) continue;
    left -= size;
    count += 1;
    fields[name] = kept;
  }
  return { rule, priority, summary: cut(summary, SUMMARY_MAX), fields: { ...fields } };
}

function scalar(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'string') return value === '' || value === '<NA>' ? undefined : cut(value, VALUE_MAX);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return cut(JSON.stringify(value), VALUE_MAX);
  return undefined;
}

/** Never ends within a surrogate pair. */
function cut(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  const last = text.charCodeAt(maximum - 2);
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? maximum - 2 : maximum - 1)}…`;
}
