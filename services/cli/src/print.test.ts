import { expect, test } from 'vitest';
import { jsonLine, plain } from './print.ts';

const EVIL = 'a\u001b[31m\u009b2J\u007f\u202e\u2028\r\nb';

test('text of events cannot act on a terminal', () => {
  expect(plain(EVIL)).toBe('a\ufffd[31m\ufffd2J\ufffd\ufffd\ufffd\ufffd\ufffdb');
  expect(plain('x'.repeat(500), 10)).toBe(`${'x'.repeat(9)}…`);
});

test('nor can JSON, and it says the same', () => {
  const line = jsonLine({ rule: EVIL });
  expect(line).toMatch(/^[ -~]*$/);
  expect(JSON.parse(line)).toEqual({ rule: EVIL });
});
