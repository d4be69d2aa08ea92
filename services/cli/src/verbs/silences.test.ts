import { expect, it } from 'vitest';
import { parseMatcher } from './silences.ts';

it('reads matchers, and refuses a misspelt field with the names there are', () => {
  expect(parseMatcher('namespace!=kube-system')).toEqual({ field: 'namespace', op: '!=', value: 'kube-system' });
  expect(parseMatcher('command_line^=apt ')).toEqual({ field: 'command_line', op: 'startswith', value: 'apt ' });
  expect(() => parseMatcher('nmespace!=kube-system')).toThrow(/no field nmespace; use one of .*namespace/);
});
