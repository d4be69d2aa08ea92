import type { Priority } from '@eyrie/schemas';
import { compares, priorityCompares } from './comparisons.ts';
import type { CompiledRule } from './compiled.ts';
import { type Fields, someHold } from './conditions.ts';

/** What a rule is held against: a judged event, or a version of an alert. */
export interface Subject {
  readonly rule: string;
  readonly priority: Priority;
  readonly source: string;
  readonly tags: readonly string[];
  readonly fpScore?: number;
  /** The alert is suppressed or silenced. */
  readonly hidden: boolean;
}

/** The first condition that does not hold, or `matched`. */
export type MatchResult =
  | 'matched'
  | 'suppressed'
  | 'rules'
  | 'tags'
  | 'priority'
  | 'source'
  | 'score'
  | 'output_fields'
  | 'unless';

/** `fields` is asked last and only when all else holds, because it costs the parsing of the raw line. */
export function matchRule(rule: CompiledRule, subject: Subject, fields: () => Fields): MatchResult {
  const { match } = rule;
  if (match.detections !== undefined && !match.detections.has(subject.rule)) return 'rules';
  if (match.source !== undefined && match.source !== subject.source) return 'source';
  if (match.priority !== undefined && !priorityCompares(subject.priority, match.priority)) return 'priority';
  if (match.tags !== undefined && !match.tags.some((all) => all.every((tag) => subject.tags.includes(tag))))
    return 'tags';
  if (match.score !== undefined && !compares(subject.fpScore, match.score)) return 'score';
  if (subject.hidden && !rule.includeSuppressed) return 'suppressed';
  if (match.fields !== undefined && !someHold(match.fields, fields())) return 'output_fields';
  if (rule.unless !== undefined && someHold(rule.unless, fields())) return 'unless';
  return 'matched';
}

/** Rules whose conditions need fields cannot be held against an alert: its versions carry none. */
export function needsFields(rule: CompiledRule): boolean {
  return rule.match.fields !== undefined || rule.unless !== undefined;
}
