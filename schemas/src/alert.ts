import type { AlertId, ClusterId, EventId, Fingerprint, RoutingKey, TenantId } from './ids.ts';
import type { Nanos } from './nanos.ts';
import type { Priority } from './priority.ts';
import type { Identity } from './workload.ts';

export type AlertState = 'open' | 'closed' | 'merged';
/** page: p_attack ≥ 0.5 · review · low · suppress, from most to least worth a look. */
export type Band = 'page' | 'review' | 'low' | 'suppress';
export type Disposition = 'alert' | 'review' | 'suppressed';
export type TriageStatus = 'new' | 'in_review' | 'resolved' | 'dismissed';
export type Verdict = 'true_positive' | 'false_positive' | 'benign';

/** One pod, container or host the alert was seen on. At most 256 an alert; the rest is counted in `targets_more`. */
export interface Target {
  /** Pod uid, else container id, else `host:<name>`. */
  readonly key: string;
  readonly pod_uid?: string;
  readonly pod?: string;
  readonly namespace?: string;
  readonly container_id?: string;
  readonly node?: string;
  readonly user?: string;
  /** The merged alert this target came from: its intents keep that id. Counts stay there; `count` begins at 0. */
  readonly alert_id?: AlertId;
  readonly first_seen: Nanos;
  readonly last_seen: Nanos;
  readonly count: number;
}

/** One clamped term of the score. The `log_odds` of all reasons add up to logit(p_attack), floor apart. */
export interface ScoreReason {
  readonly feature: string;
  readonly value: number | string | boolean;
  readonly log_odds: number;
}

export interface Score {
  /** 0…1: how likely a false positive; 1 − p_attack. */
  readonly fp_score: number;
  readonly p_attack: number;
  readonly band: Band;
  readonly reasons: readonly ScoreReason[];
  /** Features that could not be computed because a field was missing; they count as neutral. */
  readonly unknown: readonly string[];
  /** Name of the floor that keeps the band at review or above, whatever the sum. */
  readonly floor?: string;
  /** Scorer name and version that decided. */
  readonly model: string;
}

export interface Triage {
  readonly status: TriageStatus;
  readonly verdict?: Verdict;
  readonly assignee?: string;
  readonly note?: string;
  readonly by?: string;
  /** Milliseconds. */
  readonly at?: number;
}

/** A bounded example of the events behind an alert. */
export interface Sample {
  readonly event_id: EventId;
  readonly time: Nanos;
  readonly target: string;
  readonly command_line?: string;
}

/** Why this version was written. */
export type AlertChange =
  | 'opened'
  | 'count'
  | 'interval'
  | 'escalated'
  | 'new_target'
  | 'new_user'
  | 'targets_full'
  | 'amended'
  | 'verdict'
  | 'silence_ended'
  | 'closed'
  | 'merged';

/** The whole state of an alert. Consumers keep the highest version. Topic `eyrie.alerts`, key alert_id. */
export interface Alert {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly alert_id: AlertId;
  readonly version: number;
  readonly change: AlertChange;
  readonly state: AlertState;
  readonly merged_into?: AlertId;
  readonly source: string;
  readonly rule: string;
  /** Highest seen. */
  readonly priority: Priority;
  readonly tags: readonly string[];
  readonly tactics: readonly string[];
  readonly techniques: readonly string[];
  readonly fingerprint: Fingerprint;
  readonly fingerprint_version: number;
  readonly routing_key: RoutingKey;
  readonly opening_event_id: EventId;
  readonly count: number;
  /** Time of the opening event: the anchor of the window and the month it counts in. Never changes. */
  readonly opened_at: Nanos;
  readonly first_seen: Nanos;
  readonly last_seen: Nanos;
  readonly targets: readonly Target[];
  readonly targets_more: number;
  readonly host?: string;
  readonly identity: Identity;
  readonly process_name?: string;
  readonly command_line?: string;
  readonly file_name?: string;
  readonly score: Score;
  readonly disposition: Disposition;
  /** Why it is suppressed; absent otherwise. */
  readonly disposition_reason?: 'dismissed' | 'exception' | 'score' | 'silenced';
  readonly triage: Triage;
  /** False while the storm guard holds back notices, stream and export. */
  readonly notify: boolean;
  /** Opened for an event that came after every window it could join. */
  readonly late?: true;
  readonly samples: readonly Sample[];
  readonly related: readonly AlertId[];
  /** Partition of the judge, and the number of the opening in it for this tenant: 1, 2, 3, … */
  readonly partition: number;
  readonly opening_seq: number;
  readonly documents_version: number;
  /** Milliseconds: when the judge wrote this version. */
  readonly updated_at: number;
}
