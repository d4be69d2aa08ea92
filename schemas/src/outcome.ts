/**
 * The one ending of a record, with a reason from a closed list (the metric label of `eyrie_outcomes_total`).
 * In = sum of outcomes. Only endings are counted: an event that `prepare` passes on ends in `judge`.
 */
export const OUTCOME_REASONS = {
  /** An alert was opened and is shown. */
  opened: ['new_fingerprint', 'window_closed', 'breakthrough_floor', 'breakthrough_priority'],
  /** The event joined an alert. */
  folded: ['repeat', 'earlier', 'late_join', 'escalation', 'new_target', 'new_user'],
  /** The event was seen before: by id within the memory, or at a raw position at or below the remembered one. */
  duplicate: ['event_id', 'raw_position'],
  /** An alert was opened hidden by a dismissal, an exception or the score. */
  suppressed: ['dismissed', 'exception', 'score'],
  /** An alert was opened hidden by a silence. */
  silenced: ['silence'],
  /** An alert was opened for an event that came after every window it could join; it is marked late. */
  late: ['after_window'],
  /** The line is no event and never was one. */
  filtered: ['log_text', 'blank'],
  /** Sensor health, not an alert. */
  health: ['syscall_drop', 'metrics_snapshot', 'timeouts', 'hot_restart_failure', 'capture_limit', 'other_internal'],
  /** Proof of life. */
  canary: ['canary', 'heartbeat'],
  /** The line was refused; its bytes are kept in the dead letter. */
  rejected: [
    'not_json',
    'not_object',
    'invalid_utf8',
    'line_too_long',
    'too_deep',
    'missing_rule',
    'invalid_rule',
    'missing_time',
    'invalid_time',
    'missing_priority',
    'invalid_priority',
    'invalid_output_fields',
    'invalid_field',
    'cluster_missing',
    'cluster_invalid',
    'trailing_text',
  ],
  /** A record the reader could not take (newer format, bad signature, unreadable frame). */
  'dead-lettered': ['newer_format', 'bad_signature', 'unreadable', 'unknown_alert'],
} as const;

export type OutcomeName = keyof typeof OUTCOME_REASONS;
export type Reason<O extends OutcomeName = OutcomeName> = (typeof OUTCOME_REASONS)[O][number];
export type Stage = 'prepare' | 'judge';

export type Outcome = { [O in OutcomeName]: { readonly outcome: O; readonly reason: Reason<O> } }[OutcomeName];
