import type { Parameters } from './blocks.ts';
import { KINDS } from './kinds.ts';
import { type Place, problemAt, type TalonProblem } from './node.ts';
import { listed, nearest } from './words.ts';

/** What a parameter of Talon holds. */
type Kind = keyof typeof KINDS;

interface ParameterSpec {
  readonly kind: Kind;
  readonly isRequired?: true;
  /** Talon puts text of the event into it, then runs it or looks it up. */
  readonly takesEvent?: true;
}

export type Specs = Readonly<Record<string, ParameterSpec>>;

/** Values of a checked map of parameters, each of the kind its table says. */
export class Values {
  readonly #values: ReadonlyMap<string, { readonly place: Place; readonly value: unknown }>;
  readonly place: Place;

  constructor(values: ReadonlyMap<string, { readonly place: Place; readonly value: unknown }>, place: Place) {
    this.#values = values;
    this.place = place;
  }

  get<T>(name: string): T | undefined {
    return this.#values.get(name)?.value as T | undefined;
  }

  placeOf(name: string): Place {
    return this.#values.get(name)?.place ?? this.place;
  }
}

/** Holds written parameters against their table. Talon takes any name and ignores those it does not know. */
export function readParameters(
  written: Parameters,
  {
    specs,
    aliases,
    actionner,
  }: { readonly specs: Specs; readonly aliases: Readonly<Record<string, string>>; readonly actionner: string },
  place: Place,
  problems: TalonProblem[],
): Values {
  const values = new Map<string, { readonly place: Place; readonly value: unknown }>();
  const names = Object.keys(specs);
  for (const [name, { place, value: node }] of written) {
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) {
      problems.push(problemAt(place, unknownName(name, names, aliases, actionner)));
      continue;
    }
    const value = KINDS[spec.kind].read(node);
    if (value === undefined) problems.push(problemAt(place, `${name} must be ${KINDS[spec.kind].what}`));
    else values.set(name, { place, value });
  }
  for (const [name, { isRequired }] of Object.entries(specs)) {
    if (isRequired === true && !written.has(name)) problems.push(problemAt(place, `${actionner} needs ${name}`));
  }
  return new Values(values, place);
}

function unknownName(
  name: string,
  names: readonly string[],
  aliases: Readonly<Record<string, string>>,
  actionner: string,
): string {
  const there = names.length === 0 ? 'it has none' : `there are ${listed(names)}`;
  const meant = (Object.hasOwn(aliases, name) ? aliases[name] : undefined) ?? nearest(name, names);
  const hint = meant === undefined ? '' : names.includes(meant) ? `write ${meant}; ` : `${meant}; `;
  return `"${name}" is no parameter of ${actionner}: Talon takes it and does nothing with it; ${hint}${there}`;
}
