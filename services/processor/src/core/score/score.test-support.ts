import {
  type ClusterId,
  type Event,
  type EventId,
  type Identity,
  nanosOfMs,
  type RoutingKey,
  type TenantId,
} from '@eyrie/schemas';

export const T0 = Date.UTC(2026, 4, 4, 10);
export const HOUR = 3_600_000;

let made = 0;

export function anEvent(fields: Partial<Event> = {}, atMs = 0): Event {
  made += 1;
  return {
    v: 1,
    event_id: made.toString(16).padStart(32, '0') as EventId,
    tenant: 'acme' as TenantId,
    cluster: 'prod' as ClusterId,
    source: 'syscall',
    rule: 'Contact K8S API Server From Container',
    priority: 'Notice',
    time: nanosOfMs(T0 + atMs),
    received_at: T0 + atMs,
    routing_key: '0'.repeat(32) as RoutingKey,
    salient: '',
    raw_pos: { log: 'log', partition: 0, offset: made, index: 0 },
    host: 'node-1',
    container_id: 'aabbccddeeff',
    container_started_at: T0 - 24 * HOUR,
    process_name: 'controller',
    process_executable: '/usr/bin/controller',
    parent_name: 'containerd-shim',
    command_line: 'controller --leader-elect',
    maturity: 'stable',
    exe_flags: 'EXE_LOWER_LAYER',
    tty: 0,
    user_id: 1000,
    ...fields,
  };
}

export const IDENTITY: Identity = {
  namespace: 'shop',
  workload_kind: 'Deployment',
  workload: 'operator',
  pod: 'operator-0',
  pod_uid: 'uid-0',
  image: 'registry.example/operator',
};
