/** Proof of life of one node within a span. Seconds since 1970. */
export interface NodeLife {
  readonly watched: number;
  readonly first: number;
  readonly last: number;
}

export interface Coverage {
  readonly watched_minutes: number;
  readonly node_minutes: number;
  /** Null where no node ever gave proof of life: blind, not quiet. */
  readonly share: number | null;
}

const MINUTE = 60;
/** A silent node counts as blind for a day; after that it is taken for gone. Seconds. */
const GONE_AFTER = 24 * 60 * MINUTE;

/** A node is expected from its first proof of life in the span to the end of the span, or a day beyond its last. */
export function coverageOfNode({ watched, first, last }: NodeLife, end: number): Coverage {
  const until = Math.min(end, last + GONE_AFTER);
  return share(watched, Math.max(watched, Math.ceil((until - first) / MINUTE)));
}

export function sumCoverage(nodes: readonly Coverage[]): Coverage {
  let watched = 0;
  let expected = 0;
  for (const node of nodes) {
    watched += node.watched_minutes;
    expected += node.node_minutes;
  }
  return share(watched, expected);
}

function share(watched: number, expected: number): Coverage {
  return { watched_minutes: watched, node_minutes: expected, share: expected === 0 ? null : watched / expected };
}

/** First second of a month `YYYY-MM`, and of the one after it. */
export function spanOfMonth(month: string): { readonly from: number; readonly to: number } {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return { from: Date.UTC(year, number - 1) / 1000, to: Date.UTC(year, number) / 1000 };
}
