import type { ClusterId, EventId, RoutingKey, TenantId } from './ids.ts';
import type { Nanos } from './nanos.ts';
import type { Priority } from './priority.ts';

/** Where the exact bytes of an event lie: log identity, partition and offset of the raw record, index of the line in it. */
export interface RawPosition {
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
}

/**
 * One normalised observation: what `prepare` makes of a raw line, whatever the source.
 * Flat, and named like the columns of `eyrie.events`: one vocabulary from topic to SQL. An absent field is unknown
 * (Falco's null, "" and "<NA>" all become absent).
 */
export interface Event {
  readonly v: 1;
  readonly event_id: EventId;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  /** `syscall`, `k8s_audit`, … ("syscalls" is read as `syscall`). */
  readonly source: string;
  readonly rule: string;
  readonly priority: Priority;
  readonly time: Nanos;
  /** Milliseconds: when the gateway received it. */
  readonly received_at: number;
  readonly routing_key: RoutingKey;
  /** The salient fields behind the routing key, canonical and masked, joined by U+001F. Part of the fingerprint. */
  readonly salient: string;
  readonly raw_pos: RawPosition;
  /** Host name of the sensor: the node name where Falco runs in Kubernetes. */
  readonly host?: string;
  readonly tags?: readonly string[];
  /** MITRE tactics (`execution`) and techniques (`T1059.004`) taken from tags. */
  readonly tactics?: readonly string[];
  readonly techniques?: readonly string[];
  readonly maturity?: 'stable' | 'incubating' | 'sandbox';
  readonly event_type?: string;
  readonly process_name?: string;
  readonly process_executable?: string;
  readonly command_line?: string;
  readonly parent_name?: string;
  readonly parent_command_line?: string;
  readonly working_directory?: string;
  readonly process_id?: number;
  /** Controlling terminal number; 0 = none. */
  readonly tty?: number;
  readonly exe_flags?: string;
  readonly user_name?: string;
  readonly user_id?: number;
  readonly login_user_id?: number;
  readonly file_name?: string;
  readonly network_protocol?: string;
  readonly local_port?: number;
  readonly remote_port?: number;
  readonly remote_ip?: string;
  /** 12 hex digits, or `host` for events of the node itself. */
  readonly container_id?: string;
  readonly container?: string;
  /** Image repository without tag. */
  readonly image?: string;
  readonly image_tag?: string;
  readonly image_digest?: string;
  readonly privileged?: boolean;
  /** Milliseconds. */
  readonly container_started_at?: number;
  /** As the sensor claimed them; the judge decides the workload. */
  readonly namespace?: string;
  readonly pod?: string;
  readonly pod_uid?: string;
  /** Kubernetes audit: who did what to which object. */
  readonly audit_user?: string;
  readonly audit_verb?: string;
  readonly audit_resource?: string;
  readonly audit_target?: string;
  /** The event's own claim of a cluster, kept where the token fixes another. */
  readonly claimed_cluster?: string;
  /** Set where the stamp lay more than 5 minutes ahead of receipt: `time` is then the time of receipt. */
  readonly clamped?: true;
  /** Its tenant was beyond its soft rate. */
  readonly over_quota?: true;
  /** Our own proof of life: judged as such, and no row. */
  readonly heartbeat?: true;
  /** The exact field names of `output_fields` that were null, "" or "<NA>" though the rule asked for them. */
  readonly missing?: readonly string[];
}
