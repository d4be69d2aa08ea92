import type { AlertId, ClusterId, EventId, TenantId } from './ids.ts';
import type { Priority } from './priority.ts';

/** 0 notify · 1 collect · 2 reversible · 3 disruptive · 4 destructive. */
export type ActionClass = 0 | 1 | 2 | 3 | 4;
/** A rule can only tighten what the policy allows. */
export type ActionMode = 'observe' | 'dry_run' | 'approve' | 'enforce';

export const ACTION_STATES = [
  'planned',
  'suppressed',
  'denied',
  'simulated',
  'awaiting_approval',
  'approved',
  'rejected',
  'expired',
  'executing',
  'succeeded',
  'failed',
  'unknown',
  'undo_scheduled',
  'undone',
  'undo_failed',
  'undo_skipped',
] as const;
export type ActionState = (typeof ACTION_STATES)[number];

/** States of something that was done and not yet taken back. */
export const UNDOABLE_STATES: ReadonlySet<ActionState> = new Set([
  'succeeded',
  'undo_scheduled',
  'undo_failed',
  'undo_skipped',
]);

/** Why an intent is in its state. A closed list: labels of `eyrie_actions_total`. */
export const ACTION_REASONS = [
  /** planned */
  'queued',
  'observe',
  /** awaiting_approval, approved, rejected, expired */
  'approval_needed',
  'approved',
  'rejected',
  'approval_expired',
  /** undo_scheduled, undo_skipped */
  'timer',
  'asked',
  'drifted',
  /** simulated */
  'dry_run',
  'not_proven',
  /** suppressed */
  'cooldown',
  'limit_rule',
  'limit_target',
  'limit_workload',
  'limit_namespace',
  'limit_node',
  'limit_tenant',
  'limit_global',
  'breaker_open',
  'limit_backlog',
  'earlier_failed',
  'need_failed',
  'when_false',
  'rule_gone',
  'rule_changed',
  /** executing, succeeded */
  'started',
  'done',
  'already_gone',
  'unchanged',
  'partial',
  'forwarded_before',
  /** denied: a guard looked at the world and said no */
  'no_connection',
  'no_pod',
  'no_node',
  'standalone',
  'target_gone',
  'other_pod',
  'event_not_of_this_pod',
  'protected_namespace',
  'protected_workload',
  'too_few_ready',
  'host_network',
  'foreign_policy',
  'disruption_budget',
  'forbidden',
  'unreadable',
  /** failed, unknown, or planned again */
  'http_429',
  'http_4xx',
  'http_5xx',
  'redirect',
  'network',
  'address_refused',
  'bad_answer',
  'timeout',
  'exit_code',
  'spawn_failed',
  'script_refused',
  'connection_gone',
  'deadline',
  'crash',
  'shutdown',
] as const;
export type ActionReason = (typeof ACTION_REASONS)[number];

/** What comes to the owner of a partition. Topic `eyrie.action-requests`. */
export type OwnerRequest = ActionRequest | ApprovalRequest | UndoRequest | BreakerReset;

/** Somebody has looked at why actions failed: they may go on. */
export interface BreakerReset {
  readonly v: 1;
  readonly id: string;
  readonly kind: 'breaker_reset';
  readonly tenant: TenantId;
  readonly by: string;
  readonly at: number;
  readonly mac: string;
}

/** A person's word on a plan that waits for it. */
export interface ApprovalRequest {
  readonly v: 1;
  readonly id: string;
  readonly kind: 'approval';
  readonly tenant: TenantId;
  /** The plan, as its ledger lines name it. */
  readonly plan: string;
  /** What the person saw: another plan is not approved by it. */
  readonly plan_hash: string;
  readonly decision: 'approve' | 'deny';
  /** The person, not the token: two tokens of one count once. */
  readonly by: string;
  readonly note?: string;
  readonly at: number;
  readonly mac: string;
}

/** A person wants something undone. */
export interface UndoRequest {
  readonly v: 1;
  readonly id: string;
  readonly kind: 'undo';
  readonly tenant: TenantId;
  readonly plan: string;
  readonly intent_key: string;
  readonly by: string;
  readonly at: number;
  readonly mac: string;
}

/** A rule matched. Topic `eyrie.action-requests`; the owner of the partition decides. */
export interface ActionRequest {
  readonly v: 1;
  /** Hash of tenant, rule, alert, target and the matched event or alert version: a seen id has no effect. */
  readonly id: string;
  readonly kind: 'match';
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly rule_id: string;
  readonly rule_version: string;
  readonly alert_id: AlertId;
  readonly alert_version: number;
  readonly event_id?: EventId;
  /** Key of the alert's target this request is about. */
  readonly target: string;
  /** Container id of a target known by pod uid: before the inventory spoke, the target was known by this. */
  readonly alias?: string;
  readonly at: number;
  /** What the actions may need of the alert and the event; bounded, text of attackers. */
  readonly context: ActionContext;
  readonly mac: string;
}

export interface ActionContext {
  readonly rule: string;
  readonly priority: Priority;
  readonly summary: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/**
 * One line of the ledger. Topic `eyrie.actions`, written only by the owner of the same-numbered request partition.
 * `intent_key` = hash of tenant, rule id, action, alert id, target.
 */
export interface ActionRecord {
  readonly v: 1;
  readonly tenant: TenantId;
  readonly cluster: ClusterId;
  readonly intent_key: string;
  /** Grows with each state of the intent. */
  readonly version: number;
  readonly state: ActionState;
  readonly reason: ActionReason;
  readonly rule_id: string;
  readonly rule_version: string;
  /** Name of the action within the rule, and the kind that runs it: `shell:script`, `slack:message`, … */
  readonly action: string;
  readonly actionner: string;
  readonly class: ActionClass;
  readonly mode: ActionMode;
  readonly alert_id: AlertId;
  readonly event_id?: EventId;
  readonly target: string;
  /** Random, made at start: an intent of another incarnation is only probed. */
  readonly incarnation: string;
  readonly attempt: number;
  readonly at: number;
  readonly detail?: string;
  /** Key of the plan the intent belongs to; what approvals and undo name. Absent in lines before it was written. */
  readonly plan?: string;
  /** Hash over what would be done: while it waits for approval, and when it was given. */
  readonly plan_hash?: string;
  /** Milliseconds: until when approval is awaited, or when it is undone. */
  readonly due_at?: number;
  /** Persons whose word it is. */
  readonly by?: string;
  /** Place in the chain of the partition's lines, from 1; see `ledger-chain.ts`. Absent in lines before there was one. */
  readonly seq?: number;
  readonly digest?: string;
  readonly chain?: string;
  readonly mac: string;
}
