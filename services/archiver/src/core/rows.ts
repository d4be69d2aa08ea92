import type {
  ActionRecord,
  Alert,
  DeadLetter,
  DocumentRecord,
  Event,
  HealthRecord,
  Identity,
  Judgement,
} from '@eyrie/schemas';
import type { RowBinaryWriter } from './row-binary.ts';

/** Row mappers: one a table, in the order of its columns in `@eyrie/schemas` (a test holds both together). */
const NONE: readonly string[] = [];
const MAX_I32 = 2_147_483_647;

/** Port numbers and the like come from events: what does not fit the column is unknown. */
function int32(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= -MAX_I32 && value <= MAX_I32 ? value : undefined;
}

function int64(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

function identity(w: RowBinaryWriter, joined: Identity | undefined, event: Event | undefined): void {
  w.text(joined?.namespace ?? event?.namespace ?? '');
  w.text(joined?.workload_kind ?? '');
  w.text(joined?.workload ?? '');
  w.text(joined?.pod ?? event?.pod ?? '');
  w.text(joined?.pod_uid ?? event?.pod_uid ?? '');
  w.text(joined?.node ?? '');
  w.text(joined?.container ?? event?.container ?? '');
  w.text(joined?.container_id ?? event?.container_id ?? '');
  w.text(joined?.image ?? event?.image ?? '');
  w.text(joined?.image_tag ?? event?.image_tag ?? '');
  w.text(joined?.image_digest ?? event?.image_digest ?? '');
}

export function writeEvent(w: RowBinaryWriter, judgement: Judgement, event: Event, raw: Buffer): void {
  w.text(event.tenant);
  w.text(event.cluster);
  w.text(event.event_id);
  w.nanos(event.time);
  w.i64(event.received_at);
  w.text(event.source);
  w.text(event.rule);
  w.text(event.priority);
  w.text(event.host ?? '');
  w.text(judgement.outcome);
  w.text(judgement.reason);
  w.text(judgement.alert_id ?? '');
  w.u32(judgement.alert_version ?? 0);
  w.text(judgement.fingerprint ?? '');
  w.optionalF64(judgement.fp_score);
  identity(w, judgement.identity, event);
  if (event.privileged === undefined) w.u8(1);
  else {
    w.u8(0);
    w.u8(event.privileged ? 1 : 0);
  }
  w.optionalI64(int64(event.container_started_at));
  w.texts(event.tags ?? NONE);
  w.texts(event.tactics ?? NONE);
  w.texts(event.techniques ?? NONE);
  w.text(event.maturity ?? '');
  w.text(event.event_type ?? '');
  w.text(event.process_name ?? '');
  w.text(event.process_executable ?? '');
  w.text(event.command_line ?? '');
  w.text(event.parent_name ?? '');
  w.text(event.parent_command_line ?? '');
  w.text(event.working_directory ?? '');
  w.optionalI64(int64(event.process_id));
  w.optionalI64(int64(event.tty));
  w.text(event.exe_flags ?? '');
  w.text(event.user_name ?? '');
  w.optionalI64(int64(event.user_id));
  w.optionalI64(int64(event.login_user_id));
  w.text(event.file_name ?? '');
  w.text(event.network_protocol ?? '');
  w.optionalI32(int32(event.local_port));
  w.optionalI32(int32(event.remote_port));
  w.text(event.remote_ip ?? '');
  w.text(event.audit_user ?? '');
  w.text(event.audit_verb ?? '');
  w.text(event.audit_resource ?? '');
  w.text(event.audit_target ?? '');
  w.text(event.claimed_cluster ?? '');
  w.u8(event.clamped === true ? 1 : 0);
  w.texts(event.missing ?? NONE);
  w.text(event.routing_key);
  w.text(event.salient);
  w.i64(judgement.documents_version);
  w.text(judgement.model);
  w.i64(judgement.judged_at);
  w.text(event.raw_pos.log);
  w.u32(event.raw_pos.partition);
  w.i64(event.raw_pos.offset);
  w.u32(event.raw_pos.index);
  w.bytesOf(raw);
}

/** `body`: the record as it came, so that nothing of it is lost to SQL. */
export function writeAlertVersion(w: RowBinaryWriter, alert: Alert, body: Buffer): void {
  w.text(alert.tenant);
  w.text(alert.cluster);
  w.text(alert.alert_id);
  w.u32(alert.version);
  w.text(alert.change);
  w.text(alert.state);
  w.text(alert.merged_into ?? '');
  w.text(alert.source);
  w.text(alert.rule);
  w.text(alert.priority);
  w.texts(alert.tags);
  w.texts(alert.tactics);
  w.texts(alert.techniques);
  w.i64(alert.count);
  w.nanos(alert.opened_at);
  w.nanos(alert.first_seen);
  w.nanos(alert.last_seen);
  w.f64(alert.score.fp_score);
  w.f64(alert.score.p_attack);
  w.text(alert.score.band);
  w.text(alert.score.floor ?? '');
  w.text(alert.score.model);
  w.text(alert.disposition);
  w.text(alert.disposition_reason ?? '');
  w.text(alert.triage.status);
  w.text(alert.triage.verdict ?? '');
  w.text(alert.triage.assignee ?? '');
  w.text(alert.triage.by ?? '');
  w.optionalI64(int64(alert.triage.at));
  w.text(alert.host ?? '');
  identity(w, alert.identity, undefined);
  w.text(alert.process_name ?? '');
  w.text(alert.command_line ?? '');
  w.text(alert.file_name ?? '');
  w.u32(alert.targets.length);
  w.u32(alert.targets_more);
  w.u8(alert.notify ? 1 : 0);
  w.u8(alert.late === true ? 1 : 0);
  w.text(alert.fingerprint);
  w.u16(alert.fingerprint_version);
  w.text(alert.routing_key);
  w.text(alert.opening_event_id);
  w.u32(alert.partition);
  w.i64(alert.opening_seq);
  w.i64(alert.documents_version);
  w.i64(alert.updated_at);
  w.bytesOf(body);
}

export function writeAction(w: RowBinaryWriter, record: ActionRecord, partition: number): void {
  w.text(record.tenant);
  w.text(record.cluster);
  w.text(record.intent_key);
  w.u32(record.version);
  w.text(record.state);
  w.text(record.reason);
  w.text(record.rule_id);
  w.text(record.rule_version);
  w.text(record.action);
  w.text(record.actionner);
  w.u8(record.class);
  w.text(record.mode);
  w.text(record.alert_id);
  w.text(record.event_id ?? '');
  w.text(record.target);
  w.text(record.incarnation);
  w.u32(record.attempt);
  w.i64(record.at);
  w.text(record.detail ?? '');
  w.text(record.plan ?? '');
  w.text(record.plan_hash ?? '');
  w.i64(record.due_at ?? 0);
  w.text(record.by ?? '');
  w.u32(partition);
  w.i64(record.seq ?? 0);
  w.text(record.digest ?? '');
  w.text(record.chain ?? '');
}

export function writeDocument(w: RowBinaryWriter, record: DocumentRecord, offset: number): void {
  w.text(record.tenant);
  w.text(record.kind);
  w.text(record.id);
  w.u32(record.version);
  w.i64(offset);
  w.text(record.author);
  w.i64(record.at);
  w.u8(record.body === null ? 1 : 0);
  w.text(record.body === null ? '' : JSON.stringify(withoutSecrets(record.body)));
}

/** The hash of a token is no use to an analyst, and some to a thief. */
function withoutSecrets(body: object): object {
  if (!('sha256' in body)) return body;
  const { sha256: _, ...rest } = body;
  return rest;
}

/** One line, one key, however often it was read: its raw position, or the record's own place for records made here. */
export function recordKey(at: { log: string; partition: number; offset: number; index: number }): string {
  return `${at.log}/${at.partition}/${at.offset}/${at.index}`;
}

export function writeHealth(w: RowBinaryWriter, record: HealthRecord, key: string): void {
  w.text(record.tenant);
  w.text(record.cluster);
  w.text(key);
  w.text(record.kind);
  w.text(record.node ?? '');
  w.nanos(record.time);
  w.i64(record.received_at);
  w.i64(record.count ?? 0);
  w.text(record.code ?? '');
  w.pairs(record.fields ?? {});
}

export function writeDeadLetter(w: RowBinaryWriter, letter: DeadLetter): void {
  w.text(letter.tenant ?? '');
  w.text(letter.cluster ?? '');
  w.text(recordKey(letter.raw_pos));
  w.text(letter.stage);
  w.text(letter.reason);
  w.text(letter.message);
  w.i64(letter.at);
  w.text(letter.topic);
  w.text(letter.raw_pos.log);
  w.u32(letter.raw_pos.partition);
  w.i64(letter.raw_pos.offset);
  w.u32(letter.raw_pos.index);
  w.i64(letter.bytes);
  w.text(letter.sha256);
  w.text(letter.head);
}
