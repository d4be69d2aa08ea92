import type { AlertId, ClusterId, OwnerRequest, TenantId } from '@eyrie/schemas';
import { ResponsePolicy } from '@eyrie/schemas/policy';
import { expect } from 'vitest';
import { compilePolicy } from '../policy/policy.ts';
import type { CompiledRule, PlannedAction } from '../rules/compiled.ts';
import { type RuleSet, ruleSet } from '../rules/rule-set.ts';
import { restoreEntry, stateChanges } from './codec.ts';
import { decide } from './decide.ts';
import { type Decision, type EffectResult, evolve, type LedgerLine, type OwnerInput } from './decision.ts';
import { emptyState, type OwnerState } from './state.ts';

export const OPTIONS = {
  incarnation: 'i',
  alertLifeMs: 1e9,
  plansMax: 1e6,
  noticesMax: 1e6,
  notifyDeadlineMs: 1e9,
  partitions: 1,
  jitter: 0.5,
};

export const ISOLATE: PlannedAction = {
  action: 'isolate',
  actionner: 'kubernetes:quarantine',
  class: 2,
  parameters: {},
  recovery: 'repeat',
  lane: { name: 'k', max: 4, intervalMs: 0 },
  timeoutMs: 1_000,
  attempts: 3,
  backoff: { initialMs: 10, maximumMs: 20 },
  onError: 'stop',
  undoable: true,
};

export function rules(more: Partial<CompiledRule> = {}, policy: object = {}): RuleSet {
  const rule: CompiledRule = {
    id: 'r',
    name: 'r',
    file: 'r.yaml',
    version: '1',
    mode: 'approve',
    class: 2,
    match: {},
    approval: { quorum: 1, ttlMs: 1_000 },
    authors: [],
    includeSuppressed: false,
    cooldownMs: 0,
    limits: [],
    actions: [ISOLATE],
    tests: [],
    ...more,
  };
  return ruleSet([rule], compilePolicy(ResponsePolicy.parse(policy)));
}

/** An owner with its disk, for tests: what it is told, what it begins, what it writes. */
export class Desk {
  state: OwnerState = emptyState();
  readonly disk = new Map<string, Buffer>();
  readonly ledger: LedgerLine[] = [];
  now = 0;
  readonly set: RuleSet;

  constructor(set: RuleSet) {
    this.set = set;
  }

  do(input: OwnerInput): Decision {
    const decision = decide(this.state, input, this.set, this.now, OPTIONS);
    for (const [key, value] of stateChanges(decision)) {
      if (value === null) this.disk.delete(key);
      else this.disk.set(key, value);
    }
    this.ledger.push(...decision.ledger);
    evolve(this.state, decision);
    return decision;
  }

  match(event = 1, fields: Record<string, string> = {}): void {
    const context = { rule: 'x', priority: 'Notice' as const, summary: 'long', fields };
    this.do({
      kind: 'request',
      request: {
        v: 1,
        id: `m${event}`,
        kind: 'match',
        tenant: 't' as TenantId,
        cluster: 'c' as ClusterId,
        rule_id: 'r',
        rule_version: '1',
        alert_id: `a${event}` as AlertId,
        alert_version: 1,
        target: 'pod',
        at: 0,
        context,
        mac: '',
      },
    });
  }

  say(by: string, more: Partial<Extract<OwnerRequest, { kind: 'approval' }>> = {}): void {
    const [plan] = this.state.plans.values();
    const known = this.ledger.find(({ state }) => state === 'awaiting_approval');
    this.do({
      kind: 'request',
      request: {
        v: 1,
        id: `${by}${this.now}`,
        kind: 'approval',
        tenant: 't' as TenantId,
        plan: plan?.key ?? '',
        plan_hash: known?.plan_hash ?? '',
        decision: 'approve',
        by,
        at: this.now,
        mac: '',
        ...more,
      },
    });
  }

  /** Begins what may begin, and answers it. */
  run(result: EffectResult = { kind: 'succeeded' }): readonly boolean[] {
    const { calls } = this.do({ kind: 'start' });
    for (const { plan, step, undo } of calls) {
      this.do({ kind: 'result', plan: plan.key, step, result, undo: undo === true });
    }
    return calls.map(({ undo }) => undo === true);
  }

  crash(): void {
    this.state = emptyState();
    for (const [key, value] of this.disk) expect(restoreEntry(this.state, key, value)).toBe('taken');
    this.do({ kind: 'recover' });
  }

  get states(): readonly string[] {
    return this.ledger.map(({ state }) => state);
  }
}
