import { createHash } from 'node:crypto';
import type { ActionContext, ActionRequest, EventId } from '@eyrie/schemas';
import type { CompiledRule } from './rules/compiled.ts';

export type Cause = Omit<
  ActionRequest,
  'v' | 'id' | 'kind' | 'rule_id' | 'rule_version' | 'mac' | 'context' | 'event_id' | 'alias'
> & { readonly event_id?: EventId | undefined; readonly alias?: string | undefined };

/** The same match gives the same id, so that a repeat after a crash has no effect. */
export function buildRequest(rule: CompiledRule, cause: Cause, context: ActionContext): Omit<ActionRequest, 'mac'> {
  const { event_id, alias, ...rest } = cause;
  return {
    v: 1,
    id: digest([cause.tenant, rule.id, cause.alert_id, cause.target, event_id ?? String(cause.alert_version)]),
    kind: 'match',
    rule_id: rule.id,
    rule_version: rule.version,
    ...rest,
    ...(event_id !== undefined && { event_id }),
    ...(alias !== undefined && alias !== cause.target && { alias }),
    context,
  };
}

/** One plan for each (rule, alert, target). */
export function planKey(tenant: string, ruleId: string, alertId: string, target: string): string {
  return digest([tenant, ruleId, alertId, target]);
}

export function intentKey(tenant: string, ruleId: string, action: string, alertId: string, target: string): string {
  return digest([tenant, ruleId, action, alertId, target]);
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
