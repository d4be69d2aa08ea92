import type { RawPosition } from './event.ts';
import type { ClusterId, TenantId } from './ids.ts';
import type { Nanos } from './nanos.ts';

/** Sensor health and proof of life. Topic `eyrie.health`. */
export interface HealthRecord {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  /**
   * heartbeat, canary: the node was watched in that minute · syscall_drop, metrics_snapshot, …: what the sensor said ·
   * refused: intake refused events (blind time) · loss: a position fell below the log's start.
   */
  readonly kind: string;
  readonly node?: string;
  readonly time: Nanos;
  readonly received_at: number;
  /** Raw position of the line, or absent for records Eyrie makes itself. */
  readonly raw_pos?: RawPosition;
  /** Events refused, lost or dropped, where the kind counts something. */
  readonly count?: number;
  readonly code?: string;
  /** Numbers of a drop or metrics event, as text. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** A record set aside with its reason. Topic `eyrie.dead-letter`, key = raw position or source position. */
export interface DeadLetter {
  readonly v: 1;
  readonly tenant?: TenantId;
  readonly cluster?: ClusterId;
  readonly stage: string;
  readonly reason: string;
  readonly message: string;
  readonly at: number;
  readonly topic: string;
  readonly raw_pos: RawPosition;
  /** Length of the whole line in bytes, and its SHA-256 (hex). */
  readonly bytes: number;
  readonly sha256: string;
  /** The first 64 KiB, base64. */
  readonly head: string;
}
