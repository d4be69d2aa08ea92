import { expect, it } from 'vitest';
import { restoringHistory } from '../score/history.ts';
import { DEFAULTS, type JudgeOptions, restoringState } from './judge.ts';

const OPTIONS = { ...DEFAULTS } as unknown as JudgeOptions;

function count(steps: Generator<undefined, unknown>): number {
  let yields = 0;
  while (steps.next().done !== true) yields += 1;
  return yields;
}

it('state is restored in pieces, between which others have their turn', () => {
  const known = (i: number) => [`known/e${i}`, Buffer.from('{"f":1,"row":{}}')] as const;
  const entries = Array.from({ length: 10_000 }, (_, i) => known(i));
  expect(count(restoringState(0, entries, OPTIONS, expect.fail))).toBe(50);
  expect(count(restoringState(0, entries.slice(0, 100), OPTIONS, expect.fail))).toBe(0);
  const row = Buffer.from('{"f":1,"key":"k","row":{"last":1}}');
  const rows = Array.from({ length: 1_000 }, (_, i) => [`history/t/rule/${i}`, row] as const);
  // Each is read, then put in the order of age.
  expect(count(restoringHistory(rows, expect.fail))).toBe(10);
});
