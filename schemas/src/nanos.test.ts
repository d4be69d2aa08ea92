import { env } from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseNanos } from './nanos.ts';

const RUNS = 2_000 * Number(env['EYRIE_TEST_RUNS'] ?? 1);

/** The plain way: the platform's parser, and the way back to find what it rolled over. */
function plain(second: string, fraction: string): string | undefined {
  const ms = Date.parse(`${second}Z`);
  if (!Number.isFinite(ms) || ms < 0 || ms > 9_223_372_036_000) return undefined;
  if (new Date(ms).toISOString().slice(0, 19) !== second) return undefined;
  return String(ms / 1000).padStart(10, '0') + fraction.padEnd(9, '0');
}

const digits = (width: number, max: number) =>
  fc.integer({ min: 0, max }).map((number) => String(number).padStart(width, '0'));
const year = fc.oneof(fc.integer({ min: 1968, max: 2264 }).map(String), digits(4, 9999));
const second = fc
  .tuple(year, digits(2, 13), digits(2, 32), digits(2, 25), digits(2, 61), digits(2, 61))
  .map(([y, mo, d, h, mi, s]) => `${y}-${mo}-${d}T${h}:${mi}:${s}`);
const fraction = fc.oneof(fc.constant(''), fc.stringMatching(/^\d{1,9}$/));

describe('parseNanos', () => {
  it('reads a time as the plain way does, whatever second came before', () => {
    let taken = 0;
    fc.assert(
      fc.property(second, fraction, (text, rest) => {
        const read = parseNanos(`${text}${rest === '' ? '' : `.${rest}`}Z`);
        taken += read === undefined ? 0 : 1;
        expect(read).toBe(plain(text, rest));
      }),
      { numRuns: RUNS },
    );
    // Both kinds must have been seen, or the comparison says nothing.
    expect(taken).toBeGreaterThan(RUNS / 10);
    expect(taken).toBeLessThan(RUNS);
  });

  it.each([
    ['2024-02-29T00:00:00Z', '1709164800000000000'],
    ['2023-02-29T00:00:00Z', undefined],
    ['2262-04-11T23:47:16Z', '9223372036000000000'],
    ['2262-04-11T23:47:17Z', undefined],
    ['1970-01-01T00:00:00.5Z', '0000000000500000000'],
    ['2024-01-01T12:00:00+0530', '1704090600000000000'],
  ])('%s', (text, nanos) => {
    expect(parseNanos(text)).toBe(nanos);
  });
});
