import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, type Lookup } from './expression.ts';
import { parseWhere } from './parse.ts';

const EVENT: Readonly<Record<string, unknown>> = {
  'proc.name': 'bash',
  'proc.cmdline': 'bash -c "curl --data=x http://10.1.2.3/"',
  'fd.rip': '10.1.2.3',
  'fd.sip': '::ffff:192.168.7.9',
  'fd.rip6': '2001:db8::7',
  'fd.rport': 443,
  'user.uid': '0',
  'k8s.ns.name': 'prod-eu',
  'k8s.labels[env]': 'prod',
  'proc.aname': ['sh', 'containerd-shim'],
  'evt.failed': false,
  'container.name': '<NA>',
  namespace: 'prod-eu',
};

const lookup: Lookup = (field) => (Object.hasOwn(EVENT, field) ? EVENT[field] : undefined);

function holds(text: string): boolean {
  const parsed = parseWhere(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return evaluate(parsed.expression, lookup);
}

describe('comparisons', () => {
  it.each([
    ['proc.name == "bash"', true],
    ["proc.name == 'sh'", false],
    ['proc.name != "sh"', true],
    ['proc.name in ("sh", "bash")', true],
    ['proc.name in ("sh")', false],
    ['fd.rport == 443', true],
    ['fd.rport == "443"', true],
    ['fd.rport >= 443 and fd.rport < 444', true],
    ['user.uid == 0', true],
    ['user.uid < 1', true],
    ['proc.name < 1', false],
    ['evt.failed == false', true],
    ['proc.cmdline contains "--data=x"', true],
    ['proc.cmdline contains "CURL"', false],
    ['proc.cmdline icontains "CURL"', true],
    ['k8s.ns.name startswith "prod-"', true],
    ['k8s.ns.name endswith "-us"', false],
    ['k8s.ns.name glob "prod-??"', true],
    ['k8s.ns.name glob "prod"', false],
    ['k8s.ns.name glob "*-e*"', true],
    ['proc.name regex "^(ba|z)?sh$"', true],
    ['proc.name regex "as"', true],
    ['fd.rip cidr "10.0.0.0/8"', true],
    ['fd.rip cidr "10.2.0.0/16"', false],
    ['fd.sip cidr "192.168.0.0/16"', true],
    ['fd.rip6 cidr "2001:db8::/32"', true],
    ['fd.rip6 cidr "10.0.0.0/8"', false],
    ['proc.name cidr "10.0.0.0/8"', false],
    ['k8s.labels["env"] == "prod"', true],
    ["k8s.labels['env'] == 'prod'", true],
    ['k8s.labels[env] == "prod"', true],
    ['proc.aname == "sh"', true],
    ['proc.aname != "sh"', false],
    ['proc.aname != "zsh"', true],
    ['namespace == "prod-eu"', true],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));
});

describe('a field that is not there', () => {
  it.each([
    ['is.gone == "x"', false],
    ['is.gone != "x"', false],
    ['container.name != "x"', false],
    ['is.gone in ("x")', false],
    ['not is.gone == "x"', true],
    ['exists(is.gone)', false],
    ['not exists(is.gone)', true],
    ['exists(container.name)', false],
    ['exists(proc.name)', true],
    ['exists(evt.constructor) or exists(is.__proto__)', false],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));
});

describe('what binds more', () => {
  it.each([
    ['proc.name == "x" and is.gone == "y" or fd.rport == 443', true],
    ['proc.name == "x" and (is.gone == "y" or fd.rport == 443)', false],
    ['not proc.name == "x" and fd.rport == 443', true],
    ['not (proc.name == "bash" or is.gone == "y")', false],
    ['not not proc.name == "bash"', true],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));
});

it.each([
  ['', 'column 1: the end stands where a field should'],
  ['proc.name = "x"', 'column 11: a single "="; equality is "=="'],
  ['proc.name == bash', 'column 14: "bash" is no value; text stands in quotes'],
  ['proc.name == "x', 'column 14: a quote is opened here and never closed'],
  ['proc.name like "x"', 'column 11: "like" is no operator; there are == != < <='],
  ['proc.name == "x" fd.rport == 1', 'column 18: "fd.rport" stands after the end'],
  ['proc.name == "x" && fd.rport == 1', 'column 18: "&" is not an operator; there are and, or, not'],
  ['(proc.name == "x"', 'column 18: ")" is missing before the end'],
  ['fd.rport < "x"', 'column 12: < compares with a number'],
  ['proc.name contains 1', 'column 20: contains compares with quoted text'],
  ['proc.name contains ""', 'column 20: contains compares with nothing'],
  ['proc.name regex "(?=x)"', 'column 17: regex is no pattern of RE2'],
  ['proc.name regex "(.)\\\\1"', 'column 17: regex is no pattern of RE2'],
  ['fd.rip cidr "10.0.0.0"', 'column 13: cidr compares with a network'],
  ['exists proc.name', 'column 8: "(" is missing before "proc.name"'],
  ['nmespace == "x"', 'column 1: "nmespace" is no column'],
  ['exists(constructor)', 'column 8: "constructor" is no column'],
  ['and == "x"', 'column 1: "and" stands where a field should'],
  [`${'('.repeat(40)}a.b == 1${')'.repeat(40)}`, 'column 33: more than 32 parentheses'],
  [`a.b == "${'x'.repeat(5_000)}"`, 'has 5009 characters; at most 4096'],
])('%s is refused', (text, problem) => {
  const parsed = parseWhere(text);
  expect('problem' in parsed ? parsed.problem : 'accepted').toContain(problem);
});

/** Says the same as an expression, by the plainest means. */
interface Written {
  readonly text: string;
  readonly holds: boolean;
}

const comparison: fc.Arbitrary<Written> = fc
  .record({
    field: fc.constantFrom(...Object.keys(EVENT), 'is.gone'),
    operator: fc.constantFrom('==', '!=', 'contains', 'startswith'),
    value: fc.oneof(
      fc.constantFrom('bash', 'prod', '0', '443', 'sh', '10.'),
      fc.string({ minLength: 1, maxLength: 4 }),
    ),
  })
  .map(({ field, operator, value }) => {
    const found = field in EVENT ? EVENT[field] : undefined;
    const items = (Array.isArray(found) ? found : [found]).map((item) => (item === '<NA>' ? undefined : item));
    const texts = items
      .filter((item) => item !== undefined)
      .map((item) => (typeof item === 'string' ? item : `${item}`));
    const some = (test: (text: string) => boolean) => texts.length > 0 && texts.some(test);
    const result = {
      '==': some((one) => one === value),
      '!=': texts.length > 0 && !texts.includes(value),
      contains: some((one) => one.indexOf(value) >= 0),
      startswith: some((one) => one.slice(0, value.length) === value),
    }[operator] as boolean;
    return { text: `${field} ${operator} "${value.replace(/["\\]/g, '\\$&')}"`, holds: result };
  });

const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 4 },
    comparison,
    tie('written').map(({ text, holds: inner }) => ({ text: `not (${text})`, holds: !inner })),
    fc.tuple(tie('written'), tie('written')).map(([a, b]) => ({
      text: `(${a.text}) and (${b.text})`,
      holds: a.holds && b.holds,
    })),
    fc.tuple(tie('written'), tie('written')).map(([a, b]) => ({
      text: `(${a.text}) or (${b.text})`,
      holds: a.holds || b.holds,
    })),
  ),
}));

it('any expression says what its plain model says', () => {
  fc.assert(
    fc.property(written, (one) => {
      expect(holds(one.text)).toBe(one.holds);
    }),
  );
});

it('no text makes the parser throw', () => {
  const words = fc.constantFrom(
    '(',
    ')',
    'and',
    'or',
    'not',
    'in',
    'exists',
    '==',
    '"x"',
    "'",
    'a.b',
    'a[',
    '1',
    ',',
    '\\',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words, { maxLength: 20 }).map((all) => all.join(' ')),
      ),
      (text) => {
        expect(Object.keys(parseWhere(text))).toHaveLength(1);
      },
    ),
  );
});
