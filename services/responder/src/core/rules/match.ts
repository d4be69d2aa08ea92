import type { Priority } from '@eyrie/schemas';
import { compares, priorityCompares } from './comparisons.ts';
import type { CompiledRule } from './compiled.ts';
import { type Fields, someHold } from './conditions.ts';
import { evaluate } from './where/expression.ts';

/** What a rule is held against: a judged event, or a version of an alert. */
export interface Subject {
  readonly rule: string;
  readonly priority: Priority;
  readonly source: string;
  readonly tags: readonly string[];
  readonly fpScore?: number;
  /** The alert is suppressed or silenced. */
  readonly hidden: boolean;
  /** Values by the names of their columns: tenant, cluster, namespace, workload, … */
  readonly columns: () => Fields;
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
  | 'where'
  | 'unless';

/**
 * `fields` is asked last and only when all else holds, because it costs the parsing of the raw line. Names of columns have no
 * dot and those of a sensor's fields have one: an expression asks for both.
 */
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
  const lookup = (field: string) => fieldOf(subject, fields, field);
  if (match.where !== undefined && !evaluate(match.where, lookup)) return 'where';
  if (rule.unless !== undefined) {
    const { conditions, expressions } = rule.unless;
    if (conditions.length > 0 && someHold(conditions, fields())) return 'unless';
    if (expressions.some((expression) => evaluate(expression, lookup))) return 'unless';
  }
  return 'matched';
}

/** Rules whose conditions need fields, or that count events, cannot be held against an alert: its versions carry none. */
export function needsFields(rule: CompiledRule): boolean {
  const { match, unless, threshold } = rule;
  return match.fields !== undefined || match.where !== undefined || unless !== undefined || threshold !== undefined;
}

function fieldOf({ columns }: Subject, fields: () => Fields, field: string): unknown {
  const found = field.includes('.') ? fields() : columns();
  return Object.hasOwn(found, field) ? found[field] : undefined;
}
