import {
  type ActionReason,
  type ActionState,
  type Column,
  EVENT_COLUMNS,
  type Event,
  IDENTITY_FIELDS,
  type Judgement,
} from '@eyrie/schemas';
import type { LiveIntent } from './live-ledger.ts';

/** A judged event as the matcher saw it, taken back from its row. */
export interface StoredEvent {
  readonly judgement: Judgement;
  readonly event: Event;
  readonly raw: string;
}

const IDENTITY: ReadonlySet<string> = new Set(IDENTITY_FIELDS);
/** Of the judgement alone. `tenant`, `rule` and the like are the event's. */
const JUDGEMENT: ReadonlySet<string> = new Set([
  'outcome',
  'reason',
  'alert_id',
  'alert_version',
  'fingerprint',
  'fp_score',
  'documents_version',
  'model',
  'judged_at',
] satisfies readonly (keyof Judgement)[]);
/** Known of a workload only: no event says them. */
const JOINED: ReadonlySet<string> = new Set(['workload_kind', 'workload', 'node']);
const FLAGS: ReadonlySet<string> = new Set(['privileged', 'clamped']);
const POSITION = 'raw_';

/** What to select for `storedEvent`: moments as whole numbers, since no setting of a format comes with it. */
export const EVENT_EXPRESSIONS: readonly string[] = EVENT_COLUMNS.map(({ name, type }) => {
  if (type.includes('DateTime64(9')) return `toUnixTimestamp64Nano(${name})`;
  return type.includes('DateTime64(3') ? `toUnixTimestamp64Milli(${name})` : name;
});

/** `row`: the values of `EVENT_EXPRESSIONS`. What an event was joined to holds its own claims too, as the judge composes them. */
export function storedEvent(row: readonly unknown[]): StoredEvent {
  const event: Record<string, unknown> = { v: 1 };
  const identity: Record<string, unknown> = {};
  const judgement: Record<string, unknown> = { v: 1, identity };
  const position: Record<string, unknown> = {};
  let raw = '';
  for (const [index, column] of EVENT_COLUMNS.entries()) {
    const { name } = column;
    const value = readValue(column, row[index]);
    if (value === undefined) continue;
    if (name === 'raw') raw = String(value);
    else if (name.startsWith(POSITION)) position[name.slice(POSITION.length)] = value;
    else if (JUDGEMENT.has(name)) judgement[name] = value;
    else {
      if (IDENTITY.has(name)) identity[name] = value;
      if (!JOINED.has(name)) event[name] = value;
    }
  }
  return {
    judgement: judgement as unknown as Judgement,
    event: { ...event, raw_pos: position } as unknown as Event,
    raw,
  };
}

/** Absent text is '' in a row, an absent number null; 64 bits come as text. */
function readValue({ name, type }: Column, value: unknown): unknown {
  if (value === null || value === undefined || value === '') return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value;
  if (FLAGS.has(name)) return name === 'privileged' || Number(value) === 1 ? Number(value) === 1 : undefined;
  if (type.includes('DateTime64(9')) return String(value).padStart(19, '0');
  return type.includes('String') ? value : Number(value);
}

/** What to select for `liveIntent`, grouped by intent. */
export const INTENT_EXPRESSIONS: readonly string[] = [
  'intent_key',
  'any(rule_id)',
  'any(alert_id)',
  'any(target)',
  'argMin(state, version)',
  'argMin(reason, version)',
  'argMax(state, version)',
  'argMax(reason, version)',
  'min(toUnixTimestamp64Milli(at))',
];

export function liveIntent(row: readonly unknown[]): LiveIntent {
  const [key, rule, alert, target, state, reason, lastState, lastReason] = row.map(String);
  return {
    intent_key: key ?? '',
    rule_id: rule ?? '',
    alert_id: alert ?? '',
    target: target ?? '',
    first: { state: state as ActionState, reason: reason as ActionReason },
    last: { state: lastState as ActionState, reason: lastReason as ActionReason },
    at: Number(row[8]),
  };
}
