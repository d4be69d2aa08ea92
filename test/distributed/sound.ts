import { expect } from 'vitest';
import type { Result } from './result.ts';

/** What no disturbance may change. */
export function expectSound(result: Result, undisturbed: Result, unknownMax = result.unknownMax): void {
  expect(result.rows).toBe(undisturbed.ids);
  expect(result.ids).toBe(undisturbed.ids);
  expect(result.idsDigest).toBe(undisturbed.idsDigest);
  expect(result.fingerprints).toEqual(undisturbed.fingerprints);
  expect(result.monthly).toBe(undisturbed.monthly);
  expect([result.difference, result.doubledVersions]).toEqual([0, 0]);
  expect(result.deadLetters).toEqual([]);
  // Never twice; once for each but those in flight, each of which stands as unknown.
  expect(new Set(result.traces).size).toBe(result.traces.length);
  expect(result.traces.length + result.unknown).toBeGreaterThanOrEqual(undisturbed.traces.length);
  expect(result.unknown).toBeLessThanOrEqual(unknownMax);
}
