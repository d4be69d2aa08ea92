/**
 * Columns of the tables that rows are encoded for, in the order of the encoding (RowBinary). The DDL is in `sql/`;
 * a test holds both together. Written types are the plain ones: the engine turns text into LowCardinality by itself.
 */
export interface Column {
  readonly name: string;
  readonly type: string;
}

function columns(text: string): readonly Column[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', ...type] = line.trim().split(' ');
      return { name, type: type.join(' ') };
    });
}

const IDENTITY = `
  namespace String
  workload_kind String
  workload String
  pod String
  pod_uid String
  node String
  container String
  container_id String
  image String
  image_tag String
  image_digest String`;

export const EVENT_COLUMNS = columns(`
  tenant String
  cluster String
  event_id String
  time DateTime64(9, 'UTC')
  received_at DateTime64(3, 'UTC')
  source String
  rule String
  priority String
  host String
  outcome String
  reason String
  alert_id String
  alert_version UInt32
  fingerprint String
  fp_score Nullable(Float64)
  ${IDENTITY.trim()}
  privileged Nullable(UInt8)
  container_started_at Nullable(DateTime64(3, 'UTC'))
  tags Array(String)
  tactics Array(String)
  techniques Array(String)
  maturity String
  event_type String
  process_name String
  process_executable String
  command_line String
  parent_name String
  parent_command_line String
  working_directory String
  process_id Nullable(Int64)
  tty Nullable(Int64)
  exe_flags String
  user_name String
  user_id Nullable(Int64)
  login_user_id Nullable(Int64)
  file_name String
  network_protocol String
  local_port Nullable(Int32)
  remote_port Nullable(Int32)
  remote_ip String
  audit_user String
  audit_verb String
  audit_resource String
  audit_target String
  claimed_cluster String
  clamped UInt8
  missing Array(String)
  routing_key String
  salient String
  documents_version Int64
  model String
  judged_at DateTime64(3, 'UTC')
  raw_log String
  raw_partition UInt32
  raw_offset UInt64
  raw_index UInt32
  raw String`);

export const DUPLICATE_COLUMNS = columns(`
  tenant String
  cluster String
  day Date
  rule String
  reason String
  count UInt64`);

export const ALERT_VERSION_COLUMNS = columns(`
  tenant String
  cluster String
  alert_id String
  version UInt32
  change String
  state String
  merged_into String
  source String
  rule String
  priority String
  tags Array(String)
  tactics Array(String)
  techniques Array(String)
  count UInt64
  opened_at DateTime64(9, 'UTC')
  first_seen DateTime64(9, 'UTC')
  last_seen DateTime64(9, 'UTC')
  fp_score Float64
  p_attack Float64
  band String
  floor String
  model String
  disposition String
  disposition_reason String
  status String
  verdict String
  assignee String
  triaged_by String
  triaged_at Nullable(DateTime64(3, 'UTC'))
  host String
  ${IDENTITY.trim()}
  process_name String
  command_line String
  file_name String
  targets UInt32
  targets_more UInt32
  notify UInt8
  late UInt8
  fingerprint String
  fingerprint_version UInt16
  routing_key String
  opening_event_id String
  partition UInt32
  opening_seq UInt64
  documents_version Int64
  updated_at DateTime64(3, 'UTC')
  body String`);

export const ACTION_VERSION_COLUMNS = columns(`
  tenant String
  cluster String
  intent_key String
  version UInt32
  state String
  reason String
  rule_id String
  rule_version String
  action String
  actionner String
  class UInt8
  mode String
  alert_id String
  event_id String
  target String
  incarnation String
  attempt UInt32
  at DateTime64(3, 'UTC')
  detail String
  plan String
  plan_hash String
  due_at DateTime64(3, 'UTC')
  decided_by String
  partition UInt32
  seq UInt64
  digest String
  chain String`);

export const DOCUMENT_COLUMNS = columns(`
  tenant String
  kind String
  id String
  version UInt32
  documents_version UInt64
  author String
  at DateTime64(3, 'UTC')
  removed UInt8
  body String`);

export const HEALTH_COLUMNS = columns(`
  tenant String
  cluster String
  key String
  kind String
  node String
  time DateTime64(9, 'UTC')
  received_at DateTime64(3, 'UTC')
  count UInt64
  code String
  fields Map(String, String)`);

export const DEAD_LETTER_COLUMNS = columns(`
  tenant String
  cluster String
  key String
  stage String
  reason String
  message String
  at DateTime64(3, 'UTC')
  topic String
  raw_log String
  raw_partition UInt32
  raw_offset UInt64
  raw_index UInt32
  bytes UInt64
  sha256 String
  head String`);
