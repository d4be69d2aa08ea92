import type { Alert, VerdictCommand } from '@eyrie/schemas';

/** What a person may say of an alert. */
interface Words {
  readonly status: VerdictCommand['status'];
  readonly verdict?: VerdictCommand['verdict'];
  readonly assignee?: string;
  readonly note?: string;
  readonly revoke?: true;
}

/** The command to the judge, with the stored alert for a judge that no longer holds it. Without signature. */
export function verdictCommand(
  alert: Alert,
  { status, verdict, assignee, note, revoke }: Words,
  {
    id,
    by,
    at,
    until,
  }: { readonly id: string; readonly by: string; readonly at: number; readonly until: number | undefined },
): Omit<VerdictCommand, 'mac'> {
  return {
    v: 1,
    kind: 'verdict',
    id,
    tenant: alert.tenant,
    alert_id: alert.alert_id,
    routing_key: alert.routing_key,
    status,
    ...(verdict === undefined ? {} : { verdict }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(note === undefined ? {} : { note }),
    ...(until === undefined ? {} : { dismissed_until: until }),
    ...(revoke === undefined ? {} : { revoke }),
    by,
    at,
    stored: alert,
  };
}
