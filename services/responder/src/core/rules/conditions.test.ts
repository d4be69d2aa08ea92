import { expect, it } from 'vitest';
import { isExpression, parseConditions, someHold } from './conditions.ts';

it.each([
  ['user.name=breakglass', false],
  ['user.name!=root, proc.name=bash', false],
  ['proc.cmdline="a and b == c"', false],
  ['proc.cmdline=curl -X POST', false],
  ['proc.cmdline=fish and chips', false],
  ['user.name == "breakglass"', true],
  ['user.name != "a" and proc.name == "b"', true],
  ['user.name!=a or proc.name=b', true],
  ['proc.name in ("sh")', true],
  ['fd.rport > 1024', true],
  ['proc.name regex "^x"', true],
  ['not exists(user.name)', true],
  ['(user.name == "x")', true],
])('%s is an expression: %s', (item, expected) => expect(isExpression(item)).toBe(expected));

it('an expression among conditions is refused: its tail would be taken for the value', () => {
  const parsed = parseConditions('user.name!=a and proc.name!=b');
  expect(parsed).toEqual({ problem: expect.stringContaining('reads like an expression') });
  expect(parseConditions('user.name="a and proc.name!=b"')).toEqual({
    conditions: [{ field: 'user.name', op: '=', value: 'a and proc.name!=b' }],
  });
});

it.each([
  ['a=x', { a: 'x' }, true],
  ['a=x', {}, false],
  ['a!=x', { a: 'y' }, true],
  ['a!=x', {}, false],
  ['a?!=x', { a: 'y' }, true],
  ['a?!=x', { a: 'x' }, false],
  ['a?!=x', { a: ['y', 'x'] }, false],
  ['a?!=x', {}, true],
  ['a?!=x', { a: null }, true],
  ['a?!=x', { a: '<NA>' }, true],
  ['a?!=x', { a: '' }, true],
  ['a ?!= "x, y"', { a: 'x, y' }, false],
  ['a?!=x, b=1', { b: 1 }, true],
  ['a?!=x, b=1', {}, false],
])('%s over %j: %s', (item, fields, expected) => {
  const parsed = parseConditions(item);
  if ('problem' in parsed) throw new Error(parsed.problem);
  expect(someHold([parsed.conditions], fields)).toBe(expected);
});

it.each(['a?=x', 'a??!=x', 'a!?=x', '?!=x', 'a!==x', 'a?!==x', 'a ? != x'])('%s is refused', (item) => {
  expect(parseConditions(item)).toHaveProperty('problem');
});
