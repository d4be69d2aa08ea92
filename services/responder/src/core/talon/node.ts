/** Where something was written: the file, its line from 1, and the path of keys within its item. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly key: string;
}

/** YAML with the places of its parts, whatever library read it. */
export type TalonNode = TalonScalar | TalonList | TalonMap;

interface TalonScalar {
  readonly kind: 'scalar';
  readonly place: Place;
  /** As it was written: `0755` stays so. */
  readonly text: string;
  readonly value: string | number | boolean | null;
}

interface TalonList {
  readonly kind: 'list';
  readonly place: Place;
  readonly items: readonly TalonNode[];
}

export interface TalonMap {
  readonly kind: 'map';
  readonly place: Place;
  readonly entries: readonly TalonEntry[];
}

export interface TalonEntry {
  readonly key: string;
  readonly place: Place;
  readonly value: TalonNode;
}

/** Why something is not imported. */
export interface TalonProblem extends Place {
  readonly message: string;
}

/** What differs from Talon, or from what its author may believe; the rule is imported all the same. */
export interface TalonFlag extends Place {
  readonly code: FlagCode;
  readonly message: string;
}

export const FLAGS = {
  absent_passes: 'a condition that also holds where the field is absent, as in Talon',
  key_accepted: 'a key that Talon rejects, taken as it is written',
  override_kept: 'a scalar that a later block would have cleared in Talon, kept',
  priority: 'a comparison of priorities that Talon judges otherwise for unknown words',
  source: 'a source that Talon compares otherwise',
  number: 'a number that Talon renders otherwise',
  continue: 'how far Talon goes on after a rule or an action',
  ignore_errors: 'errors that do not stop the rule',
  dry_run: 'what Talon said about its own dry run',
  notifiers: 'notices that have to be set up',
  additional_contexts: 'contexts that nothing reads here',
  default: 'a default of Talon, written out',
  differs: 'an action that does more or less than its namesake',
  guarded: 'pods that Talon ignores, spared by a condition of the rule',
  twice: 'an action that stands twice',
  description: 'what an action says about itself; our actions have no place for it',
  missing: 'an action that this version does not have',
  generated: 'limits, cooldown and tests, which Talon does not have',
} as const;
export type FlagCode = keyof typeof FLAGS;

/** A text and where it stands. */
export interface PlacedText {
  readonly text: string;
  readonly place: Place;
}

export function problemAt(place: Place, message: string): TalonProblem {
  const { file, line, key } = place;
  return { file, line, key, message };
}

export function flagAt(place: Place, code: FlagCode, message: string): TalonFlag {
  const { file, line, key } = place;
  return { code, file, line, key, message };
}

/** Go and other readers of YAML take a key without a value for one that is not there. */
export function isEmpty(node: TalonNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}
