/** What the judge counted in its committed state, by partition and month. */
export interface JudgeCount {
  readonly partition: number;
  readonly month: string;
  readonly opened: number;
  readonly shown: number;
  readonly suppressed: number;
  /** Number of the latest opening of this tenant in the partition, as far as this month knows. */
  readonly last_seq: number;
}

export interface Reconciliation {
  readonly difference: number;
  readonly opened_judge: number;
  readonly opened_sql: number;
  readonly in_flight: number;
}

/**
 * Judge against SQL. Openings are numbered 1, 2, 3, … per tenant and partition, so up to the number the archiver has
 * passed both must hold the same; once nothing is in flight, the columns of each month must agree as well.
 */
export function reconcile(
  judge: readonly JudgeCount[],
  openings: readonly { readonly partition: number; readonly opened: number; readonly last_seq: number }[],
  months: readonly { readonly month: string; readonly alerts: number; readonly suppressed: number }[],
): Reconciliation {
  const opened = new Map<number, number>();
  const columns = new Map<string, { shown: number; suppressed: number }>();
  for (const { partition, month, opened: count, shown, suppressed } of judge) {
    opened.set(partition, (opened.get(partition) ?? 0) + count);
    const column = columns.get(month) ?? { shown: 0, suppressed: 0 };
    columns.set(month, { shown: column.shown + shown, suppressed: column.suppressed + suppressed });
  }
  let difference = 0;
  let inFlight = 0;
  // What one side alone knows is a difference too, and one partition's surplus must not hide another's loss.
  for (const partition of new Set([...opened.keys(), ...openings.map((row) => row.partition)])) {
    const count = opened.get(partition) ?? 0;
    const written = openings.find((row) => row.partition === partition);
    const passed = Math.min(written?.last_seq ?? 0, count);
    inFlight += count - passed;
    difference += Math.abs(passed - (written?.opened ?? 0));
  }
  if (inFlight === 0 && difference === 0) {
    for (const month of new Set([...columns.keys(), ...months.map((row) => row.month)])) {
      const { shown, suppressed } = columns.get(month) ?? { shown: 0, suppressed: 0 };
      const row = months.find((entry) => entry.month === month);
      difference += Math.abs(shown - (row?.alerts ?? 0)) + Math.abs(suppressed - (row?.suppressed ?? 0));
    }
  }
  return {
    difference,
    opened_judge: sum([...opened.values()]),
    opened_sql: sum(openings.map((row) => row.opened)),
    in_flight: inFlight,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
