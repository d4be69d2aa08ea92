import { type Event, type Identity, isMatchField, type Matcher, type MatchField } from '@eyrie/schemas';

/**
 * True when every matcher holds; a field that is absent equals nothing, and differs from everything. A name that is no
 * field holds never, whatever its operator: a misspelt `!=` would hide every alert.
 */
export function matches(matchers: readonly Matcher[], event: Event, identity: Identity): boolean {
  return matchers.length > 0 && matchers.every((matcher) => holds(matcher, event, identity));
}

function holds({ field, op, value }: Matcher, event: Event, identity: Identity): boolean {
  if (!isMatchField(field)) return false;
  const held = heldValue(field, event, identity);
  if (op === '!=') return held === undefined || String(held) !== value;
  if (held === undefined) return false;
  const text = String(held);
  if (op === 'in') return Array.isArray(value) ? value.includes(text) : value === text;
  if (typeof value !== 'string') return false;
  if (op === '=') return text === value;
  return op === 'startswith' ? text.startsWith(value) : text.includes(value);
}

/** Where the workload says something, it is right, and the event's own claim is not asked. */
function heldValue(field: MatchField, event: Event, identity: Identity): unknown {
  if (Object.hasOwn(identity, field)) return identity[field as keyof Identity];
  return event[field as keyof Event];
}
