import fc from 'fast-check';
import { expect, it } from 'vitest';
import { history, runHistory } from './history.test-support.ts';
import * as judge from './judge.ts';

const numRuns = Number(process.env['HIST'] ?? 300);

it('does what the rules say, step by step and in the end', () => {
  fc.assert(
    fc.property(history, (moves) => {
      runHistory(judge, moves);
    }),
    { numRuns },
  );
  expect(numRuns).toBeGreaterThan(0);
});
