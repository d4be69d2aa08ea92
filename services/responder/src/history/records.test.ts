import { AppError } from '@eyrie/platform/errors';
import { expect, it } from 'vitest';
import { readVerdicts } from './records.ts';
import { oneOf, pageOf, type Select, text } from './select.ts';

const answering =
  (rowsOf: (sql: string) => readonly (readonly unknown[])[]): Select =>
  async (sql) => ({ columns: [], rows: rowsOf(sql), truncated: false });

it('a verdict on what an alert merged into is one on the alert', async () => {
  const alerts: Readonly<Record<string, readonly [string, string]>> = {
    a: ['', 'b'],
    b: ['', 'c'],
    c: ['true_positive', ''],
    d: ['benign', ''],
    e: ['', ''],
    // No such circle is written; one that was would still end.
    x: ['', 'y'],
    y: ['', 'x'],
  };
  const select = answering((sql) =>
    [...sql.matchAll(/'(\w)'/g)].flatMap(([, id = '']) => (alerts[id] === undefined ? [] : [[id, ...alerts[id]]])),
  );
  const verdicts = await readVerdicts(select, ['a', 'd', 'e', 'x', 'gone']);
  expect(['a', 'd', 'e', 'x', 'gone'].map((id) => verdicts.get(id))).toEqual([
    'true_positive',
    'benign',
    undefined,
    undefined,
    undefined,
  ]);
});

it('a page shrinks until its answer is small enough, and other failures stay', async () => {
  const asked: number[] = [];
  const select: Select = async (_, { maxRows }) => {
    asked.push(maxRows);
    if (maxRows > 10) throw new AppError('EYRIE_SQL_LIMIT', 'too many bytes');
    return { columns: [], rows: [[1]], truncated: false };
  };
  expect(await pageOf(select, String, 100)).toEqual({ rows: [[1]], limit: 7 });
  expect(asked).toEqual([100, 25, 7]);
  const failing = (code: 'EYRIE_SQL_LIMIT' | 'EYRIE_STORE_UNAVAILABLE') =>
    pageOf(() => Promise.reject(new AppError(code, 'no')), String, 100);
  await expect(failing('EYRIE_SQL_LIMIT')).rejects.toMatchObject({ code: 'EYRIE_SQL_LIMIT' });
  await expect(failing('EYRIE_STORE_UNAVAILABLE')).rejects.toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE' });
});

it('text stays text, and a list too long to say is left out', () => {
  expect(text("a\\' OR 1")).toBe("'a\\\\\\' OR 1'");
  expect(oneOf('rule', ["it's"])).toBe("rule IN ('it\\'s')");
  expect(oneOf('rule', [])).toBe('1');
  expect(oneOf('rule', ['x'.repeat(40_000)])).toBe('1');
});
