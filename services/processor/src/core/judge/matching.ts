import type { Event, Identity, Matcher } from '@eyrie/schemas';

/** True when every matcher holds; a field that is absent equals nothing, and differs from everything. */
export function matches(matchers: readonly Matcher[], event: Event, identity: Identity): boolean {
  return matchers.length > 0 && matchers.every((matcher) => holds(matcher, event, identity));
}

function holds({ field, op, value }: Matcher, event: Event, identity: Identity): boolean {
  const held = Object.hasOwn(identity, field) ? identity[field as keyof Identity] : eventField(event, field);
  if (op === '!=') return held === undefined || String(held) !== value;
  if (held === undefined) return false;
  const text = String(held);
  if (op === 'in') return Array.isArray(value) ? value.includes(text) : value === text;
  if (typeof value !== 'string') return false;
  if (op === '=') return text === value;
  return op === 'startswith' ? text.startsWith(value) : text.includes(value);
}

/** Own fields alone: a document must not reach what every object inherits. */
function eventField(event: Event, field: string): unknown {
  return Object.hasOwn(event, field) ? event[field as keyof Event] : undefined;
}
