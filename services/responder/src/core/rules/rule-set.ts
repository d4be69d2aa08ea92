import { DEFAULT_POLICY, type Policy } from '../policy/policy.ts';
import type { CompiledRule } from './compiled.ts';

/** All rules that are loaded, and those of them worth holding against a detection. */
export interface RuleSet {
  /** In the order of their files. */
  readonly rules: readonly CompiledRule[];
  readonly byId: ReadonlyMap<string, CompiledRule>;
  readonly policy: Policy;
  /** Rules that name the detection, and those that name none, in the same order. */
  for(detection: string): readonly CompiledRule[];
}

/** Most rules name their detections: what an event costs hangs on the rules about it, not on all there are. */
export function ruleSet(rules: readonly CompiledRule[], policy: Policy = DEFAULT_POLICY): RuleSet {
  const unnamed = rules.filter(({ match }) => match.detections === undefined);
  const names = new Set(rules.flatMap(({ match }) => [...(match.detections ?? [])]));
  const byDetection = new Map(
    [...names].map((name) => [name, rules.filter(({ match }) => match.detections?.has(name) ?? true)]),
  );
  return {
    rules,
    policy,
    byId: new Map(rules.map((rule) => [rule.id, rule])),
    for: (detection) => byDetection.get(detection) ?? unnamed,
  };
}

export const NO_RULES: RuleSet = ruleSet([]);
