import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareScratch } from './scratch.ts';

it('removes what a killed process left, and not what may still be in use', () => {
  const root = mkdtempSync(join(tmpdir(), 'eyrie-scratch-'));
  const scratch = join(root, 'scratch');
  prepareScratch(scratch, Date.now());
  expect(statSync(scratch).mode & 0o777).toBe(0o700);
  for (const name of ['old', 'new']) mkdirSync(join(scratch, name, 'deep'), { recursive: true });
  const before = Date.now() / 1000 - 2 * 3_600;
  utimesSync(join(scratch, 'old'), before, before);
  prepareScratch(scratch, Date.now());
  expect([existsSync(join(scratch, 'old')), existsSync(join(scratch, 'new'))]).toEqual([false, true]);
  rmSync(root, { recursive: true });
});
