import { expect, test, vi } from 'vitest';
import { jsonLine, plain, printTable } from './print.ts';

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

test('nor can a table, whose columns a query may name', () => {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  printTable([EVIL], [[EVIL]]);
  write.mockRestore();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(written.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/);
});
