/** Openings of one tenant in one partition and month, as the judge counted them in its committed state. */
export interface JudgeCount {
  readonly tenant: string;
  readonly partition: number;
  readonly month: string;
  readonly opened: number;
  readonly shown: number;
  readonly suppressed: number;
}

/** The same from SQL, of alerts by their latest version. */
export interface StoredCount extends JudgeCount {
  /** Highest number of an opening among them. */
  readonly last_seq: number;
}

interface Difference {
  readonly tenant: string;
  readonly partition: number;
  readonly what: 'opened' | 'shown' | 'suppressed';
  readonly month?: string;
  readonly judge: number;
  readonly sql: number;
}

export interface Reconciliation {
  /** 0 when both sides agree. */
  readonly difference: number;
  readonly details: readonly Difference[];
  /** Openings the archiver has not written yet. */
  readonly inFlight: number;
}

/**
 * Judge against SQL. Openings are numbered 1, 2, 3, … per tenant and partition: up to the number SQL has passed none may
 * be missing or double. The columns of each month are compared at rest only, since alerts move between them.
 */
export function compareCounts(
  judge: readonly JudgeCount[],
  stored: readonly StoredCount[],
  atRest: boolean,
): Reconciliation {
  const details: Difference[] = [];
  let inFlight = 0;
  for (const [key, { tenant, partition }] of owners([...judge, ...stored])) {
    const counted = sum(judge.filter((row) => ownerOf(row) === key).map(({ opened }) => opened));
    const rows = stored.filter((row) => ownerOf(row) === key);
    const written = sum(rows.map(({ opened }) => opened));
    const passed = Math.min(counted, Math.max(0, ...rows.map(({ last_seq }) => last_seq)));
    inFlight += counted - passed;
    const expected = atRest ? counted : passed;
    if (expected !== written) details.push({ tenant, partition, what: 'opened', judge: expected, sql: written });
  }
  if (atRest) details.push(...compareColumns(judge, stored));
  return { difference: sum(details.map(({ judge: a, sql: b }) => Math.abs(a - b))), details, inFlight };
}

function compareColumns(judge: readonly JudgeCount[], stored: readonly StoredCount[]): readonly Difference[] {
  const details: Difference[] = [];
  const months = new Map([...judge, ...stored].map((row) => [`${ownerOf(row)}\u0000${row.month}`, row]));
  for (const [key, { tenant, partition, month }] of months) {
    const counted = judge.find((row) => `${ownerOf(row)}\u0000${row.month}` === key);
    const written = stored.find((row) => `${ownerOf(row)}\u0000${row.month}` === key);
    for (const what of ['shown', 'suppressed'] as const) {
      const [a, b] = [counted?.[what] ?? 0, written?.[what] ?? 0];
      if (a !== b) details.push({ tenant, partition, what, month, judge: a, sql: b });
    }
  }
  return details;
}

function ownerOf({ tenant, partition }: { readonly tenant: string; readonly partition: number }): string {
  return `${tenant}\u0000${partition}`;
}

function owners(rows: readonly JudgeCount[]): ReadonlyMap<string, JudgeCount> {
  return new Map(rows.map((row) => [ownerOf(row), row]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
