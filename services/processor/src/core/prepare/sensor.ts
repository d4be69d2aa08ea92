import type { FalcoEvent, HealthRecord, Outcome } from '@eyrie/schemas';
import { text } from './values.ts';

/** Sensor health and proof of life: what Falco raises about itself, and the markers Eyrie's agents trip. */
export interface SensorWord {
  readonly outcome: Outcome;
  readonly kind: HealthRecord['kind'];
  readonly count?: number;
  readonly fields?: Readonly<Record<string, string>>;
}

const INTERNAL = 'Falco internal: ';
const INTERNAL_REASONS = new Map([
  ['syscall event drop', 'syscall_drop'],
  ['metrics snapshot', 'metrics_snapshot'],
  ['timeouts notification', 'timeouts'],
  ['hot restart failure', 'hot_restart_failure'],
  ['capture size limit reached', 'capture_limit'],
] as const);

/** Where each kind counts what the sensor did not see. */
const COUNTS = new Map([
  ['syscall_drop', 'n_drops'],
  ['metrics_snapshot', 'scap.n_drops'],
]);

/** Undefined for an event that is an observation. */
export function sensorWord(falco: FalcoEvent): SensorWord | undefined {
  const { rule, tags } = falco;
  if (rule === 'Eyrie heartbeat') return { outcome: { outcome: 'canary', reason: 'heartbeat' }, kind: 'heartbeat' };
  if (rule === 'Eyrie canary' || tags?.includes('eyrie_canary') === true) {
    return { outcome: { outcome: 'canary', reason: 'canary' }, kind: 'canary' };
  }
  // Old sensors and falcosidekick do not say `internal`: the rule's name does.
  if (falco.source !== 'internal' && !rule.startsWith(INTERNAL)) return undefined;
  const reason = INTERNAL_REASONS.get(rule.slice(INTERNAL.length) as 'metrics snapshot') ?? 'other_internal';
  const count = Number(text(falco.output_fields[COUNTS.get(reason) ?? '']));
  const fields = boundedFields(falco.output_fields);
  return {
    outcome: { outcome: 'health', reason },
    kind: reason,
    ...(Number.isSafeInteger(count) && count >= 0 && { count }),
    ...(fields !== undefined && { fields }),
  };
}

const FIELDS = 128;
const FIELD_CHARS = 256;

function boundedFields(fields: FalcoEvent['output_fields']): Readonly<Record<string, string>> | undefined {
  const entries: [string, string][] = [];
  for (const key in fields) {
    const value = text(fields[key]);
    if (value === undefined) continue;
    if (entries.push([key.slice(0, FIELD_CHARS), value.slice(0, FIELD_CHARS)]) === FIELDS) break;
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
