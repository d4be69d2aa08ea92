import { describe, expect, it } from 'vitest';
import { compareCounts, type JudgeCount, type StoredCount } from './compare.ts';

const judge = (more: Partial<JudgeCount> = {}): JudgeCount => ({
  tenant: 'acme',
  partition: 0,
  month: '2026-11',
  opened: 10,
  shown: 8,
  suppressed: 2,
  ...more,
});
const sql = (more: Partial<StoredCount> = {}): StoredCount => ({ ...judge(), last_seq: 10, ...more });

describe('judge against SQL', () => {
  it('agrees where both say the same', () => {
    expect(compareCounts([judge()], [sql()], true)).toEqual({ difference: 0, details: [], inFlight: 0 });
  });

  it('allows openings on their way, and counts them', () => {
    const behind = sql({ opened: 7, shown: 6, suppressed: 1, last_seq: 7 });
    expect(compareCounts([judge()], [behind], false)).toEqual({ difference: 0, details: [], inFlight: 3 });
  });

  it('spans months: numbers of openings run on', () => {
    const months = [
      judge({ opened: 4, shown: 4, suppressed: 0 }),
      judge({ month: '2026-12', opened: 6, shown: 6, suppressed: 0 }),
    ];
    const stored = months.map((month, index) => ({ ...month, last_seq: index === 0 ? 10 : 9 }));
    expect(compareCounts(months, stored, true).difference).toBe(0);
  });

  it.each([
    ['an alert lost below the number passed', sql({ opened: 9, shown: 7 }), false],
    ['an alert counted twice', sql({ opened: 11, shown: 9 }), false],
    ['an alert lost at the end, at rest', sql({ opened: 9, shown: 7, last_seq: 9 }), true],
    ['a disposition that did not arrive, at rest', sql({ shown: 9, suppressed: 1 }), true],
    ['an alert in another month, at rest', sql({ month: '2026-10' }), true],
    ['an alert of a partition the judge never counted', sql({ partition: 3 }), false],
    ['nothing at all, at rest', undefined, true],
  ])('finds %s', (_, stored, atRest) => {
    expect(compareCounts([judge()], stored === undefined ? [] : [stored], atRest).difference).toBeGreaterThan(0);
  });

  it('keeps tenants and partitions apart', () => {
    const swapped = [
      sql({ tenant: 'acme', opened: 11, last_seq: 10 }),
      sql({ tenant: 'other', opened: 9, last_seq: 10 }),
    ];
    const result = compareCounts([judge(), judge({ tenant: 'other' })], swapped, false);
    expect(result.details.map(({ tenant }) => tenant)).toEqual(['acme', 'other']);
  });

  it('finds alerts of a tenant the judge never counted', () => {
    expect(compareCounts([], [sql()], false).difference).toBe(10);
  });
});
