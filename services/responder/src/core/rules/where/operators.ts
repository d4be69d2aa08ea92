import addresses from 'ipaddr.js';
import { RE2JS } from 're2js';
import { globTest } from '../glob.ts';
import { textOf } from '../values.ts';
import type { Test } from './expression.ts';

export type Literal = string | number | boolean;

/** Makes the test of an operator, or says why the value does not suit it. */
type Operator = (value: Literal) => Test | string;

const PATTERN_MAX = 512;
const NUMERAL = /^-?\d+(?:\.\d+)?$/;

/** The operators of `where`; each compares a field with one written value. `!=` is the negation of `==`. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  '==': equality,
  '!=': equality,
  '<': ordered((found, value) => found < value),
  '<=': ordered((found, value) => found <= value),
  '>': ordered((found, value) => found > value),
  '>=': ordered((found, value) => found >= value),
  contains: text((found, value) => found.includes(value)),
  icontains: text((found, value) => found.toLowerCase().includes(value.toLowerCase())),
  startswith: text((found, value) => found.startsWith(value)),
  endswith: text((found, value) => found.endsWith(value)),
  glob,
  regex: pattern,
  cidr,
};

/** Equal to one of several. */
export function oneOf(values: readonly Literal[]): Test {
  const tests = values.map(equality);
  return (found) => tests.some((test) => test(found));
}

function equality(value: Literal): Test {
  switch (typeof value) {
    case 'number':
      return (found) => numberOf(found) === value;
    case 'boolean':
      return (found) => found === value || found === String(value);
    default:
      return (found) => textOf(found) === value;
  }
}

function ordered(compare: (found: number, value: number) => boolean): Operator {
  return (value) => {
    if (typeof value !== 'number') return 'compares with a number';
    return (found) => {
      const number = numberOf(found);
      return number !== undefined && compare(number, value);
    };
  };
}

function text(compare: (found: string, value: string) => boolean): Operator {
  return (value) => {
    if (typeof value !== 'string') return 'compares with quoted text';
    if (value === '') return 'compares with nothing, which every text holds';
    return (found) => compare(textOf(found), value);
  };
}

function glob(value: Literal): Test | string {
  if (typeof value !== 'string') return 'compares with quoted text';
  const test = globTest(value);
  return (found) => test(textOf(found));
}

/** RE2's language and its promise: time grows with the text alone, whatever the pattern. Unanchored. */
function pattern(value: Literal): Test | string {
  if (typeof value !== 'string') return 'compares with quoted text';
  if (value.length > PATTERN_MAX) return `is a pattern of ${value.length} characters; at most ${PATTERN_MAX}`;
  try {
    const compiled = RE2JS.compile(value);
    return (found) => compiled.matcher(textOf(found)).find();
  } catch (error) {
    return `is no pattern of RE2: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** An IPv4 address written as IPv6 is the IPv4 address. */
function cidr(value: Literal): Test | string {
  let range: ReturnType<typeof addresses.parseCIDR>;
  try {
    range = addresses.parseCIDR(String(value));
  } catch {
    return 'compares with a network such as 10.0.0.0/8';
  }
  const [network, bits] = range;
  return (found) => {
    try {
      const written = textOf(found);
      const address = network.kind() === 'ipv4' ? addresses.process(written) : addresses.parse(written);
      return address.kind() === network.kind() && address.match(network, bits);
    } catch {
      return false;
    }
  };
}

function numberOf(found: unknown): number | undefined {
  if (typeof found === 'number') return found;
  return typeof found === 'string' && NUMERAL.test(found) ? Number(found) : undefined;
}
