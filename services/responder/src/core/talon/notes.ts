import { type FlagCode, flagAt, type Place, problemAt, type TalonFlag, type TalonProblem } from './node.ts';

/** What a translation has to say about its parameters. */
export class Notes {
  readonly flags: TalonFlag[] = [];
  readonly problems: TalonProblem[] = [];
  /** Kinds of owner whose pods the rule has to spare. */
  readonly spared: { readonly kind: string; readonly place: Place }[] = [];

  flag(place: Place, code: FlagCode, message: string): void {
    this.flags.push(flagAt(place, code, message));
  }

  refuse(place: Place, message: string): void {
    this.problems.push(problemAt(place, message));
  }
}
