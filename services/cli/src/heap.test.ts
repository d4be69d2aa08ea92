import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { HEAP_FLAGS } from './heap.ts';

it('sets only flags this engine knows', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  expect(HEAP_FLAGS.length).toBeGreaterThan(0);
  for (const flag of HEAP_FLAGS) {
    const name = flag.replace(/^--(no-)?/, '').replace(/=.*/, '');
    expect(known).toMatch(new RegExp(`^  --${name} `, 'm'));
  }
  expect(known).not.toMatch(/^ {2}--no-such-flag /m);
});
