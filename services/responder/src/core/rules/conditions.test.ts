import { expect, it } from 'vitest';
import { isExpression, parseConditions } from './conditions.ts';

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
