import type { Event } from './event.ts';
import { isName } from './ids.ts';
import { PRIORITIES } from './priority.ts';

type Kind = 'text' | 'number' | 'flag' | 'texts';

/** Every optional field and what it holds: a field added to Event must be decided on here. */
const OPTIONAL: Readonly<Record<Exclude<keyof Event, Required>, Kind>> = {
  host: 'text',
  tags: 'texts',
  tactics: 'texts',
  techniques: 'texts',
  maturity: 'text',
  event_type: 'text',
  process_name: 'text',
  process_executable: 'text',
  command_line: 'text',
  parent_name: 'text',
  parent_command_line: 'text',
  working_directory: 'text',
  process_id: 'number',
  tty: 'number',
  exe_flags: 'text',
  user_name: 'text',
  user_id: 'number',
  login_user_id: 'number',
  file_name: 'text',
  network_protocol: 'text',
  local_port: 'number',
  remote_port: 'number',
  remote_ip: 'text',
  container_id: 'text',
  container: 'text',
  image: 'text',
  image_tag: 'text',
  image_digest: 'text',
  privileged: 'flag',
  container_started_at: 'number',
  namespace: 'text',
  pod: 'text',
  pod_uid: 'text',
  audit_user: 'text',
  audit_verb: 'text',
  audit_resource: 'text',
  audit_target: 'text',
  claimed_cluster: 'text',
  clamped: 'flag',
  over_quota: 'flag',
  heartbeat: 'flag',
  missing: 'texts',
};
type Required =
  | 'v'
  | 'event_id'
  | 'tenant'
  | 'cluster'
  | 'source'
  | 'rule'
  | 'priority'
  | 'time'
  | 'received_at'
  | 'routing_key'
  | 'salient'
  | 'raw_pos';

const KINDS: ReadonlyMap<string, Kind> = new Map(Object.entries(OPTIONAL));
const ID = /^[0-9a-f]{32}$/;
const HEX = /^[0-9a-f]{8,64}$/;
const NANOS = /^\d{13,20}$/;
const WORDS: ReadonlySet<unknown> = new Set(PRIORITIES);

/**
 * Whether what was read from a topic is an event: everything the stages behind lean on is of its kind. Others may write there,
 * and one record must not keep a partition from its owner. By hand: it is asked for every event.
 */
export function isEvent(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null) return false;
  const event = value as Readonly<Record<string, unknown>>;
  for (const field of Object.keys(event)) {
    const kind = KINDS.get(field);
    if (kind !== undefined && !isOf(kind, event[field])) return false;
  }
  const { event_id: id, tenant, cluster, source, rule, priority, time, received_at: at } = event;
  return (
    isMatch(ID, id) &&
    typeof tenant === 'string' &&
    isName(tenant) &&
    typeof cluster === 'string' &&
    isName(cluster) &&
    typeof source === 'string' &&
    typeof rule === 'string' &&
    WORDS.has(priority) &&
    isMatch(NANOS, time) &&
    Number.isSafeInteger(at) &&
    isMatch(HEX, event['routing_key']) &&
    typeof event['salient'] === 'string' &&
    isPosition(event['raw_pos'])
  );
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return Number.isFinite(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
  }
}

function isMatch(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isPosition(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { log, partition, offset, index } = value as Readonly<Record<string, unknown>>;
  return (
    typeof log === 'string' &&
    Number.isSafeInteger(partition) &&
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(index)
  );
}
