import { type Alert, isoOfNanos, type Nanos } from '@eyrie/schemas';

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
export function present(value: unknown, mask: (text: string) => string): Record<string, unknown> {
  return presentAny(value, '', mask) as Record<string, unknown>;
}

export function presentAlert(alert: Alert, mask: (text: string) => string) {
  const { mac: _, ...shown } = present(alert, mask);
  return shown as ReturnType<typeof present> & Pick<Alert, 'alert_id' | 'version'>;
}

function presentAny(value: unknown, key: string, mask: (text: string) => string): unknown {
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
