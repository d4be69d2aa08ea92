import { expect, it } from 'vitest';
import { retryAfterMs } from './answers.ts';

const NOW = Date.UTC(2026, 10, 27, 12, 0, 0);

it.each<[Record<string, string>, number]>([
  [{}, 60_000],
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0' }, 1_000],
  [{ 'retry-after': '999999' }, 3_600_000],
  [{ 'retry-after': 'Fri, 27 Nov 2026 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Fri, 27 Nov 2026 11:00:00 GMT' }, 1_000],
  [{ 'ratelimit-reset': String(NOW / 1_000 + 90) }, 90_000],
  [{ 'retry-after': '5', 'ratelimit-reset': String(NOW / 1_000 + 90) }, 5_000],
  [{ 'retry-after': 'soon', 'ratelimit-reset': '12' }, 60_000],
])('%j: %i ms', (headers, expected) => expect(retryAfterMs(headers, NOW)).toBe(expected));
