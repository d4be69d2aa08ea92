import type { PartitionCounts } from '@eyrie/platform/bus/layout';
import { InvalidArgumentError } from 'commander';

// What is written behind options, read; each throws commander's InvalidArgumentError with what it must be.

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('must be 1 or more');
  return number;
}

/** Of each kind of topic, where nobody says otherwise. */
export const PARTITIONS: PartitionCounts = { raw: 12, alerts: 12, actions: 6, shared: 3 };

/** `raw=12,alerts=12`; kinds not named keep their default. */
export function partitionCounts(text: string): PartitionCounts {
  const counts = { ...PARTITIONS };
  for (const one of text.split(',')) {
    const [kind = '', count = ''] = one.split('=');
    if (!Object.hasOwn(counts, kind)) {
      throw new InvalidArgumentError(`must be kind=number, of ${Object.keys(PARTITIONS).join(', ')}`);
    }
    counts[kind as keyof PartitionCounts] = positiveNumber(count);
  }
  return counts;
}

const LONGEST_MS = 3_650 * 86_400_000;

/** `60s`, `5m`, `2h`, `30d` in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new InvalidArgumentError('must be a duration such as 60s, 5m, 2h, 30d');
  const ms = Number(match[1]) * unit;
  if (ms > LONGEST_MS) throw new InvalidArgumentError('must be at most 3650d');
  return ms;
}

/** `30d` (so long ago) or an ISO 8601 moment, in milliseconds since 1970. */
export function momentInPast(text: string): number {
  if (/^\d+(ms|s|m|h|d)$/.test(text)) return Date.now() - duration(text);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('must be a duration such as 30d (ago), or a time such as 2026-11-24T10:00Z');
  return at;
}

/** `25%` as 0.25. */
export function share(text: string): number {
  const number = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN);
  if (!(number > 0 && number <= 100)) throw new InvalidArgumentError('must be a share such as 25%');
  return number / 100;
}
