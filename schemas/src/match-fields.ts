import type { Event } from './event.ts';
import type { Identity } from './workload.ts';

/** Positions, digests and clocks of ours: nothing a person would hide alerts by. */
type Unmatchable =
  | 'v'
  | 'raw_pos'
  | 'routing_key'
  | 'salient'
  | 'received_at'
  | 'container_started_at'
  | 'clamped'
  | 'over_quota'
  | 'heartbeat'
  | 'missing';

export type MatchField = Exclude<keyof Event | keyof Identity, Unmatchable>;

/** A record, so that a field added to Event or Identity must be decided on here before anything compiles. */
const FIELDS: Readonly<Record<MatchField, true>> = {
  event_id: true,
  tenant: true,
  cluster: true,
  source: true,
  rule: true,
  priority: true,
  time: true,
  host: true,
  tags: true,
  tactics: true,
  techniques: true,
  maturity: true,
  event_type: true,
  process_name: true,
  process_executable: true,
  command_line: true,
  parent_name: true,
  parent_command_line: true,
  working_directory: true,
  process_id: true,
  tty: true,
  exe_flags: true,
  user_name: true,
  user_id: true,
  login_user_id: true,
  file_name: true,
  network_protocol: true,
  local_port: true,
  remote_port: true,
  remote_ip: true,
  container_id: true,
  container: true,
  image: true,
  image_tag: true,
  image_digest: true,
  privileged: true,
  namespace: true,
  pod: true,
  pod_uid: true,
  audit_user: true,
  audit_verb: true,
  audit_resource: true,
  audit_target: true,
  claimed_cluster: true,
  workload_kind: true,
  workload: true,
  node: true,
};

/** What a matcher may name. The list is closed: an absent field differs from everything, so a misspelt one would hide all. */
export const MATCH_FIELDS: readonly MatchField[] = Object.keys(FIELDS) as MatchField[];

export function isMatchField(name: string): name is MatchField {
  return Object.hasOwn(FIELDS, name);
}
