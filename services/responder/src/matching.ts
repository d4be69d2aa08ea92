import {
  type ActionContext,
  type ActionRequest,
  type Alert,
  type AlertId,
  type Event,
  type Identity,
  type Judgement,
  readLine,
} from '@eyrie/schemas';
import type { AlertMemory } from './alert-memory.ts';
import { alertContext, eventContext } from './core/context.ts';
import { buildRequest, planKey } from './core/request.ts';
import type { CompiledRule } from './core/rules/compiled.ts';
import type { Fields } from './core/rules/conditions.ts';
import { matchRule, needsFields, type Subject } from './core/rules/match.ts';
import type { RuleSet } from './core/rules/rule-set.ts';

export type Unsigned = Omit<ActionRequest, 'mac'>;
export interface Match {
  readonly rule: CompiledRule;
  readonly request: Unsigned;
}

const NO_FIELDS: Fields = {};
/** Requests remembered; one that comes again beyond is dropped by the owner of its partition. */
const ASKED_MAX = 200_000;

/** Holds rules against what was judged. Each (rule, alert, target) is asked for once, as far back as is remembered. */
export class Matching {
  readonly #memory: AlertMemory;
  readonly #asked: RecentKeys;

  constructor(memory: AlertMemory, onBound: (bound: string) => void) {
    this.#memory = memory;
    this.#asked = new RecentKeys(ASKED_MAX, () => onBound('responder_asked_memory'));
  }

  /** `rawLine` is only parsed when everything else of a rule holds. */
  event(rules: RuleSet, judgement: Judgement, event: Event, rawLine: () => Buffer): readonly Match[] {
    const openedBy = judgement.alert_id;
    if (openedBy === undefined || judgement.outcome === 'duplicate') return [];
    const identity = judgement.identity ?? {};
    const target = targetOf(event, identity);
    const subject: Subject = {
      rule: event.rule,
      priority: event.priority,
      source: event.source,
      tags: event.tags ?? [],
      ...(judgement.fp_score !== undefined && { fpScore: judgement.fp_score }),
      hidden: this.#memory.isHidden(openedBy, judgement),
      columns: () => columnsOf(event, identity),
    };
    let parsed: { output: string; fields: Fields } | undefined;
    const line = () => {
      parsed ??= parseLine(rawLine(), event);
      return parsed;
    };
    let context: ActionContext | undefined;
    return this.#matches(
      rules.for(event.rule),
      subject,
      () => line().fields,
      (rule) => {
        const alertId = this.#memory.intentAlert(openedBy, target);
        // Of a threshold every event counts.
        if (rule.threshold === undefined && !this.#first(rule, event.tenant, alertId, target)) return undefined;
        context ??= eventContext(event, identity, line().output, line().fields);
        const containerId = identity.container_id ?? event.container_id;
        const cause = {
          tenant: event.tenant,
          cluster: event.cluster,
          alert_id: alertId,
          alert_version: judgement.alert_version ?? 0,
          event_id: event.event_id,
          target,
          alias: containerId === 'host' ? undefined : containerId,
          at: judgement.judged_at,
        };
        return buildRequest(rule, cause, context);
      },
    );
  }

  /** An alert may match only as it grows: a higher priority, another score, a silence that ended. */
  alert(rules: RuleSet, alert: Alert): readonly Match[] {
    if (alert.state === 'merged') return [];
    const subject: Subject = {
      rule: alert.rule,
      priority: alert.priority,
      source: alert.source,
      tags: alert.tags,
      fpScore: alert.score.fp_score,
      hidden: alert.disposition === 'suppressed',
      columns: () => NO_FIELDS,
    };
    const able = rules.for(alert.rule).filter((rule) => !needsFields(rule));
    if (able.length === 0) return [];
    let context: ActionContext | undefined;
    return alert.targets.flatMap((target) =>
      this.#matches(
        able,
        subject,
        () => NO_FIELDS,
        (rule) => {
          const alertId = target.alert_id ?? alert.alert_id;
          if (!this.#first(rule, alert.tenant, alertId, target.key)) return undefined;
          context ??= alertContext(alert);
          const cause = {
            tenant: alert.tenant,
            cluster: alert.cluster,
            alert_id: alertId,
            alert_version: alert.version,
            target: target.key,
            alias: target.container_id === 'host' ? undefined : target.container_id,
            at: alert.updated_at,
          };
          return buildRequest(rule, cause, context);
        },
      ),
    );
  }

  #matches(
    rules: readonly CompiledRule[],
    subject: Subject,
    fields: () => Fields,
    ask: (rule: CompiledRule) => Unsigned | undefined,
  ): Match[] {
    const matches: Match[] = [];
    for (const rule of rules) {
      if (matchRule(rule, subject, fields) !== 'matched') continue;
      const request = ask(rule);
      if (request !== undefined) matches.push({ rule, request });
    }
    return matches;
  }

  /** The version is part of it: a rule that was changed asks again, and the owner knows what it did. */
  #first(rule: CompiledRule, tenant: string, alertId: AlertId, target: string): boolean {
    return this.#asked.add(`${rule.version}${planKey(tenant, rule.id, alertId, target)}`);
  }
}

/** Every rule against a judged event: whether it holds, and otherwise the first condition that does not. */
export function explainRules(
  rules: RuleSet,
  input: {
    readonly event: Event;
    readonly judgement: Judgement;
    readonly alert: Alert | undefined;
    readonly raw: string;
  },
): readonly { readonly rule_id: string; readonly fired: boolean; readonly first_false?: string }[] {
  const { event, judgement, alert, raw } = input;
  const fpScore = judgement.fp_score ?? alert?.score.fp_score;
  const subject: Subject = {
    rule: event.rule,
    priority: event.priority,
    source: event.source,
    tags: event.tags ?? [],
    ...(fpScore !== undefined && { fpScore }),
    hidden:
      judgement.outcome === 'suppressed' ||
      judgement.outcome === 'silenced' ||
      (judgement.outcome === 'folded' && alert?.disposition === 'suppressed'),
    columns: () => columnsOf(event, judgement.identity ?? {}),
  };
  return rules.rules.map((rule) => {
    const result = matchRule(rule, subject, () => parseLine(Buffer.from(raw), event).fields);
    return result === 'matched'
      ? { rule_id: rule.id, fired: true }
      : { rule_id: rule.id, fired: false, first_false: result };
  });
}

/** As the judge names the targets of an alert. */
function targetOf(event: Event, identity: Identity): string {
  if (identity.pod_uid !== undefined) return identity.pod_uid;
  if (event.container_id !== undefined && event.container_id !== 'host') return event.container_id;
  return event.host === undefined ? `cluster:${event.cluster}` : `host:${event.host}`;
}

/** What `where` calls by a column's name: what Eyrie knows of the event, over what the event says of itself. */
function columnsOf(event: Event, identity: Identity): Fields {
  return { ...event, ...identity } as unknown as Fields;
}

function parseLine(line: Buffer, event: Event): { output: string; fields: Fields } {
  const reading = readLine(line, { cluster: event.cluster, origin: 'http' });
  return reading.ok
    ? { output: reading.falco.output ?? '', fields: reading.falco.output_fields }
    : { output: '', fields: NO_FIELDS };
}

/** The last keys added; forgetting one costs a repeated request, which has no effect. */
class RecentKeys {
  readonly #maximum: number;
  readonly #keys = new Set<string>();
  readonly #onBound: () => void;

  constructor(maximum: number, onBound: () => void) {
    this.#maximum = maximum;
    this.#onBound = onBound;
  }

  /** True when it was not there. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    if (this.#keys.size > this.#maximum) {
      this.#onBound();
      const oldest = this.#keys.keys().next();
      if (oldest.done !== true) this.#keys.delete(oldest.value);
    }
    return true;
  }
}
