import { maskField, maskSecrets } from '@eyrie/platform/mask';
import type { Call } from '../core/owner/decision.ts';

/** What scripts and web hooks are told. `mask`: secrets of known shapes are hidden, because it leaves this machine. */
export function payload({ plan, intent }: Call, options: { readonly mask: boolean }) {
  const context = plan.todo?.context;
  const fields: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(context?.fields ?? {})) {
    fields[name] = options.mask && typeof value === 'string' ? maskField(name, value) : value;
  }
  const hide = options.mask ? maskSecrets : (text: string) => text;
  return {
    intent_key: intent.intent_key,
    rule_id: plan.rule_id,
    rule_version: plan.rule_version,
    action: intent.action,
    tenant: plan.tenant,
    cluster: plan.cluster,
    alert_id: plan.alert_id,
    ...(plan.event_id !== undefined && { event_id: plan.event_id }),
    ...(plan.approval !== undefined && {
      approval: {
        plan: plan.key,
        plan_hash: plan.approval.hash,
        quorum: plan.approval.quorum,
        until: new Date(plan.approval.until).toISOString(),
        actions: plan.steps.filter(({ state }) => state === 'awaiting_approval').map(({ action }) => action),
      },
    }),
    target: hide(plan.target),
    detection: hide(context?.rule ?? ''),
    priority: context?.priority ?? '',
    summary: hide(context?.summary ?? ''),
    fields,
  };
}
