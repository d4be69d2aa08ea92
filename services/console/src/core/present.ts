import { type Alert, isoOfNanos, type Nanos } from '@eyrie/schemas';
import type { ActionView, AlertView, DeadLetterView, EventView, HealthView } from '@eyrie/schemas/api';
import { type EventRow, factsOfRow, withoutAbsent } from './event-row.ts';

export function isoOfMs(ms: number): string {
  return new Date(ms).toISOString();
}

/** Fields that hold text of processes and files, where secrets hide. */
const TEXT_FIELDS = new Set([
  'command_line',
  'parent_command_line',
  'working_directory',
  'file_name',
  'process_name',
  'process_executable',
  'parent_name',
  'exe_flags',
  'salient',
  'raw',
  'message',
  'detail',
  'value',
]);
const NANOS_FIELDS = new Set(['time', 'opened_at', 'first_seen', 'last_seen']);
const MS_FIELDS = new Set(['at', 'updated_at', 'judged_at', 'received_at', 'container_started_at']);

/**
 * A stored record as the API shows it: times as ISO 8601, text of processes masked, the signature left out.
 * `mask` is the identity for readers of raw values.
 */
export function present(value: unknown, mask: Mask): Record<string, unknown> {
  return presentAny(value, '', mask) as Record<string, unknown>;
}

/** A row of `eyrie.dead_letters`. */
export type DeadLetterRow = Readonly<Record<string, unknown>> & {
  readonly key: string;
  readonly cluster: string;
  readonly at: string;
  readonly head: string;
  readonly raw_log: string;
  readonly raw_partition: number;
  readonly raw_offset: number;
  readonly raw_index: number;
};

type Mask = (text: string) => string;

export function presentAlert(alert: Alert, mask: Mask): AlertView {
  const { mac: _, ...shown } = present(alert, mask);
  return shown as AlertView;
}

export function presentEvent(row: EventRow, mask: Mask): EventView {
  return present(factsOfRow(row), mask) as EventView;
}

export function presentHealth(row: object, mask: Mask): HealthView {
  return present(withoutAbsent(row), mask) as HealthView;
}

/** What ClickHouse has where there is no time. */
const NO_TIME = '1970-01-01T00:00:00.000Z';

export function presentAction(row: object, mask: Mask): ActionView {
  const { mac: _, event_id, detail, plan, plan_hash, due_at, decided_by, digest, chain, ...shown } = present(row, mask);
  const due = due_at === NO_TIME ? undefined : due_at;
  const known = { event_id, detail, plan, plan_hash, due_at: due, decided_by, digest, chain };
  return { ...shown, ...withoutAbsent(known) } as ActionView;
}

const SHOWN_CHARS = 1_000;

/** With the beginning as masked text; the kept bytes only for readers of raw values. */
export function presentDeadLetter(row: DeadLetterRow, mask: Mask, raw: boolean): DeadLetterView {
  const { head, raw_log: log, raw_partition: partition, raw_offset: offset, raw_index: index, ...facts } = row;
  // Masked before it is cut: half a secret looks like none.
  const text = mask(Buffer.from(head, 'base64').toString('utf8')).slice(0, SHOWN_CHARS);
  const shown = { ...present(facts, mask), raw_pos: { log, partition, offset, index }, text };
  return (raw ? { ...shown, head } : shown) as unknown as DeadLetterView;
}

function presentAny(value: unknown, key: string, mask: Mask): unknown {
  if (typeof value === 'string') {
    if (NANOS_FIELDS.has(key) && value.length === 19) return isoOfNanos(value as Nanos);
    return TEXT_FIELDS.has(key) ? mask(value) : value;
  }
  if (typeof value === 'number') return MS_FIELDS.has(key) ? isoOfMs(value) : value;
  if (Array.isArray(value)) return value.map((entry) => presentAny(entry, key, mask));
  if (typeof value !== 'object' || value === null) return value;
  const shown: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (name !== '__proto__') shown[name] = presentAny(entry, name, mask);
  }
  return shown;
}
