import type { Place, PlacedText, TalonNode, TalonProblem } from './node.ts';

/** An `action:` template, or an action within a rule. */
export interface ActionBlock {
  readonly name: PlacedText;
  readonly place: Place;
  readonly description?: PlacedText | undefined;
  readonly actionner?: PlacedText | undefined;
  readonly continue?: PlacedText | undefined;
  readonly ignoreErrors?: PlacedText | undefined;
  readonly parameters: Parameters;
  readonly contexts: readonly PlacedText[];
  readonly output?: { readonly target: PlacedText; readonly parameters: Parameters } | undefined;
  readonly problems: readonly TalonProblem[];
}

export type Parameters = ReadonlyMap<string, { readonly place: Place; readonly value: TalonNode }>;

export interface RuleBlock {
  readonly name: PlacedText;
  readonly description?: PlacedText | undefined;
  readonly match: MatchBlock;
  readonly continue?: PlacedText | undefined;
  readonly dryRun?: PlacedText | undefined;
  readonly notifiers: readonly PlacedText[];
  readonly actions: readonly ActionBlock[];
  readonly problems: readonly TalonProblem[];
}

export interface MatchBlock {
  readonly rules: readonly PlacedText[];
  readonly tags: readonly PlacedText[];
  readonly outputFields: readonly PlacedText[];
  readonly priority?: PlacedText | undefined;
  readonly source?: PlacedText | undefined;
}
