import type { Alert, TriageStatus, Verdict } from './alert.ts';
import type { AlertId, RoutingKey, TenantId } from './ids.ts';

/** A person's word on an alert. Topic `eyrie.commands`, partition by the alert's routing key. */
export interface VerdictCommand {
  readonly v: 1;
  readonly kind: 'verdict';
  /** Unique; a seen id has no effect. */
  readonly id: string;
  readonly tenant: TenantId;
  readonly alert_id: AlertId;
  readonly routing_key: RoutingKey;
  readonly status: TriageStatus;
  readonly verdict?: Verdict;
  readonly assignee?: string;
  readonly note?: string;
  /** Milliseconds: a dismissal holds for new windows of the fingerprint until then (default 30 d). */
  readonly dismissed_until?: number;
  /** Withdraw the dismissal of the fingerprint. */
  readonly revoke?: true;
  readonly by: string;
  readonly at: number;
  /** The stored alert, taken up only where the judge no longer holds one. */
  readonly stored?: Alert;
  readonly mac: string;
}

export type Command = VerdictCommand;
