import type { Alert, AlertId, Triage, VerdictCommand } from '@eyrie/schemas';
import type { Draft, Draw } from './draft.ts';
import { addMs } from './moments.ts';
import { hash32 } from './placing.ts';
import { type AlertRecord, type Hidden, rankOf } from './record.ts';
import { isOpen } from './state.ts';

/** Applies a person's word (rules 7 and 8). */
export function obey(draft: Draft, command: VerdictCommand): 'applied' | 'repeated' | 'unknown_alert' {
  const id = hash32(`command/${command.tenant}/${command.id}`);
  if (draft.state.seen.has(id)) return 'repeated';
  const draw = find(draft, command.tenant, command.alert_id) ?? takeUp(draft, command.stored, command);
  if (draw === undefined) return 'unknown_alert';
  draft.effects.push({ kind: 'seen', id, intake: draft.state.clock.intake });

  const { record } = draw;
  const { alert } = record;
  const { fingerprint } = alert;
  const isDismissed = command.status === 'dismissed' && command.revoke !== true;
  const held = draft.dismissal(fingerprint);
  const rank = Math.max(rankOf(alert), held?.rank ?? 0);
  if (isDismissed) {
    const until = command.dismissed_until ?? command.at + draft.options.dismissalMs;
    draft.setDismissal(fingerprint, { until, rank, by: command.by, alertId: alert.alert_id });
  } else if (command.revoke === true) draft.setDismissal(fingerprint, undefined);

  const hidden = withoutDismissal(record.hidden);
  const ends = command.status === 'resolved' && draft.options.onResolve(alert.rule) === 'restart';
  write(draft, draw, {
    ...record,
    hidden: isDismissed ? { ...hidden, dismissed: rank } : hidden,
    isEnded: record.isEnded || ends,
    alert: {
      ...alert,
      triage: triageOf(alert.triage, command),
      ...(ends && isOpen(alert) && { state: 'closed' as const }),
    },
  });
  if (command.revoke === true) {
    for (const other of draft.ofFingerprint(fingerprint)) {
      if (other === draw || !isOpen(other.record.alert) || other.record.hidden.dismissed === undefined) continue;
      write(draft, other, { ...other.record, hidden: withoutDismissal(other.record.hidden) });
    }
  }
  return 'applied';
}

/** The alert a command means: where it was merged, the survivor. */
function find(draft: Draft, tenant: string, alertId: AlertId): Draw | undefined {
  let draw = draft.byId(alertId);
  // Survivors are older than what merged into them, so the chain ends; the bound is for damaged state.
  for (let step = 0; step < 16 && draw?.record.alert.merged_into !== undefined; step += 1) {
    draw = draft.byId(draw.record.alert.merged_into) ?? draw;
  }
  return draw?.record.alert.tenant === tenant ? draw : undefined;
}

export function withoutDismissal({ dismissed: _, ...hidden }: Hidden): Hidden {
  return hidden;
}

function write(draft: Draft, draw: Draw, record: AlertRecord): void {
  const disposed = draft.dispose(record);
  const isShownNow = draw.record.alert.disposition === 'suppressed' && disposed.alert.disposition !== 'suppressed';
  draft.publish(draw, isShownNow ? { ...disposed, alert: { ...disposed.alert, notify: true } } : disposed, 'verdict');
}

/** The record the command carries, where the judge forgot the alert: from here on as closed and past joining. */
function takeUp(draft: Draft, stored: Alert | undefined, command: VerdictCommand): Draw | undefined {
  if (stored === undefined || stored.tenant !== command.tenant || stored.alert_id !== command.alert_id)
    return undefined;
  const isDismissed = stored.disposition_reason === 'dismissed';
  const record: AlertRecord = {
    alert: stored.state === 'open' ? { ...stored, state: 'closed' } : stored,
    from: stored.opened_at,
    end: addMs(stored.opened_at, draft.options.windowMs),
    lastIntake: draft.state.clock.intake,
    writtenCount: stored.count,
    isEnded: true,
    breakThroughs: 0,
    users: [],
    hidden: {
      ...(isDismissed && { dismissed: rankOf(stored) }),
      ...(stored.disposition_reason === 'exception' && { exception: 'stored' }),
      ...(stored.disposition_reason === 'silenced' && { silences: [] }),
    },
  };
  return draft.add(record, true);
}

function triageOf(before: Triage, { status, verdict, assignee, note, by, at }: VerdictCommand): Triage {
  return {
    ...before,
    status,
    ...(verdict !== undefined && { verdict }),
    ...(assignee !== undefined && { assignee }),
    ...(note !== undefined && { note }),
    by,
    at,
  };
}
