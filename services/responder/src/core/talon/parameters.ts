import addresses from 'ipaddr.js';
import { type Place, problemAt, type TalonNode, type TalonProblem } from './node.ts';
import type { Parameters } from './read-items.ts';
import { listed, nearest } from './words.ts';

/** What a parameter of Talon holds. */
type Kind = keyof typeof KINDS;

interface ParameterSpec {
  readonly kind: Kind;
  readonly isRequired?: true;
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

interface KindOf {
  readonly what: string;
  /** Undefined when it is not of that kind. */
  read(node: TalonNode): unknown;
}

const KEY = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const KINDS = {
  'whole number': {
    what: 'a whole number from 0',
    read: (node) =>
      node.kind === 'scalar' && typeof node.value === 'number' && Number.isSafeInteger(node.value) && node.value >= 0
        ? node.value
        : undefined,
  },
  boolean: {
    what: 'true or false',
    read: (node) => (node.kind === 'scalar' && typeof node.value === 'boolean' ? node.value : undefined),
  },
  replicas: {
    what: 'a number of pods such as "2", or a share such as "33%"',
    read: (node) => (node.kind === 'scalar' && /^(?:\d{1,4}|\d{1,2}%|100%)$/.test(node.text) ? node.text : undefined),
  },
  text: { what: 'a text', read: (node) => textOf(node) || undefined },
  texts: { what: 'a list of texts', read: textsOf },
  networks: {
    what: 'a list of networks such as 10.0.0.0/8',
    read: (node) => {
      const texts = textsOf(node);
      return texts?.every((text) => addresses.isValidCIDR(text)) === true ? texts : undefined;
    },
  },
  labels: {
    what: 'a map of names and values that Kubernetes takes for labels ("" takes one away)',
    read: (node) => namedTexts(node, (text) => LABEL.test(text)),
  },
  annotations: {
    what: 'a map of names that Kubernetes takes and texts ("" takes one away)',
    read: (node) => namedTexts(node, (text) => text.length <= 4_096),
  },
  level: {
    what: 'pod or node',
    read: (node) => (node.kind === 'scalar' && /^(?:pod|node)$/.test(node.text) ? node.text : undefined),
  },
} as const satisfies Readonly<Record<string, KindOf>>;

function namedTexts(node: TalonNode, isValue: (text: string) => boolean): Readonly<Record<string, string>> | undefined {
  if (node.kind !== 'map' || node.entries.length === 0) return undefined;
  const pairs: (readonly [string, string])[] = [];
  for (const { key, value } of node.entries) {
    const text = textOf(value);
    if (text === undefined || !KEY.test(key) || !isValue(text)) return undefined;
    pairs.push([key, text]);
  }
  return Object.fromEntries(pairs);
}

function textOf(node: TalonNode): string | undefined {
  return node.kind === 'scalar' && node.value !== null ? node.text : undefined;
}

function textsOf(node: TalonNode): readonly string[] | undefined {
  if (node.kind !== 'list' || node.items.length === 0) return undefined;
  const texts = node.items.map((item) => textOf(item) ?? '');
  return texts.includes('') ? undefined : texts;
}
