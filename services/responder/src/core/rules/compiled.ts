import type { ActionClass, ActionMode } from '@eyrie/schemas';
import type { RuleTest } from '@eyrie/schemas/rule';
import type { Comparison } from './comparisons.ts';
import type { Conditions } from './conditions.ts';
import type { Expression } from './where/expression.ts';

/** What to do with an action whose ending is not known: leave it, do it once more, or repeat it (the receiver knows repeats). */
export type Recovery = 'never' | 'once' | 'repeat';

/** Actions of one lane share a destination: so many at once, so long between two beginnings. */
export interface Lane {
  readonly name: string;
  readonly max: number;
  readonly intervalMs: number;
  /** Each cluster has one of its own: one that does not answer holds up no other. */
  readonly perCluster?: true;
}

/** An action of a rule, checked. It is kept in the plan as it was when the rule matched. */
export interface PlannedAction {
  readonly action: string;
  readonly actionner: string;
  readonly class: ActionClass;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly recovery: Recovery;
  readonly lane: Lane;
  readonly timeoutMs: number;
  readonly attempts: number;
  readonly backoff: { readonly initialMs: number; readonly maximumMs: number };
  readonly onError: 'stop' | 'continue';
  /** Also called in dry_run: it looks at everything, asks the far side whether it would, and changes nothing. */
  readonly provable?: boolean;
  /** Tells persons that their word is awaited: done while the others wait, and in no other mode. */
  readonly asks?: true;
  /** Actions before it that must have succeeded. */
  readonly needs?: readonly string[];
  /** An expression over fields and results of actions before it. */
  readonly when?: string;
  /** It can be taken back. */
  readonly undoable?: boolean;
  /** Taken back by itself so long after it was done, milliseconds. */
  readonly undoAfterMs?: number;
  /** Given up this long after the match, milliseconds. Default: that of notices. */
  readonly deadlineMs?: number;
}

export type LimitScope = 'rule' | 'target' | 'workload' | 'namespace' | 'node' | 'tenant' | 'global';

/** At most so many in a sliding span, milliseconds. */
export interface ScopedLimit {
  readonly scope: LimitScope;
  readonly count: number;
  readonly windowMs: number;
}

export interface CompiledRule {
  readonly id: string;
  readonly name: string;
  readonly file: string;
  /** Hash of the rule's body. */
  readonly version: string;
  readonly mode: ActionMode;
  /** Highest class of its actions. */
  readonly class: ActionClass;
  readonly match: {
    readonly detections?: ReadonlySet<string>;
    readonly tags?: readonly (readonly string[])[];
    readonly priority?: Comparison;
    readonly source?: string;
    readonly fields?: Conditions;
    readonly where?: Expression;
    readonly score?: Comparison;
  };
  /** Not before so many matches within a sliding span. */
  readonly threshold?: { readonly by: readonly string[]; readonly count: number; readonly windowMs: number };
  readonly approval: { readonly quorum: number; readonly ttlMs: number };
  /** Persons whose approval does not count. */
  readonly authors: readonly string[];
  /** Any of them stops the rule. */
  readonly unless?: { readonly conditions: Conditions; readonly expressions: readonly Expression[] };
  readonly includeSuppressed: boolean;
  readonly cooldownMs: number;
  readonly limits: readonly ScopedLimit[];
  readonly actions: readonly PlannedAction[];
  readonly tests: readonly RuleTest[];
}

/** What can be done: the names of actions and how their parameters are checked. */
export type ActionCatalog = Readonly<Record<string, CatalogEntry>>;

export interface CatalogEntry {
  readonly recovery: Recovery;
  readonly timeoutMs: { readonly standard: number; readonly maximum: number };
  readonly provable?: boolean;
  readonly undoable?: boolean;
  readonly deadlineMs?: number;
  check(parameters: Readonly<Record<string, unknown>>): Checked;
}

export type Checked =
  | {
      readonly ok: true;
      readonly class: ActionClass;
      readonly parameters: Readonly<Record<string, unknown>>;
      readonly lane: Lane;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface Problem {
  readonly field: string;
  readonly message: string;
}
