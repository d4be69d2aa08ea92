const HOUR_MS = 3_600_000;

/**
 * Milliseconds from insert to insert of a partition, `wantedMs` at least. A token must be known for an hour after its
 * insert, that long may a repeat take; so where there are many partitions, each inserts less often.
 * @param tokens a table remembers
 */
export function spacingFor(partitions: number, wantedMs: number, tokens: number): number {
  return Math.max(wantedMs, Math.ceil((partitions * HOUR_MS) / tokens));
}
