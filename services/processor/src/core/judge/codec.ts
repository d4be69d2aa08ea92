import { FORMATS, type Nanos } from '@eyrie/schemas';
import type { AlertRecord } from './record.ts';

/** A whole record as stored. */
export function encodeRecord(record: AlertRecord): Buffer {
  return Buffer.from(`{"f":${FORMATS.alertState},"record":${JSON.stringify(record)}}`);
}

export function decodeRecord(value: Buffer): AlertRecord {
  const { f, record } = JSON.parse(value.toString()) as { f: number; record: AlertRecord };
  checkFormat(f);
  return record;
}

/** Counters that moved since the whole record was written: [format, count, first, last, more, intake, [target, count, first, last]…]. */
export function encodeCounters({ alert, lastIntake }: AlertRecord, moved: Iterable<number>): Buffer {
  let text = `[${FORMATS.alertState},${alert.count},"${alert.first_seen}","${alert.last_seen}",${alert.targets_more},${lastIntake}`;
  for (const at of moved) {
    const target = alert.targets[at];
    if (target !== undefined) text += `,[${at},${target.count},"${target.first_seen}","${target.last_seen}"]`;
  }
  return Buffer.from(`${text}]`, 'latin1');
}

/** The record with its counters; `moved` gets the targets they name. */
export function applyCounters(record: AlertRecord, value: Buffer, moved: Set<number>): AlertRecord {
  const [f, count, first_seen, last_seen, targets_more, lastIntake, ...rows] = JSON.parse(value.toString()) as Counters;
  checkFormat(f);
  const targets = record.alert.targets.slice();
  for (const [at, targetCount, first, last] of rows) {
    const target = targets[at];
    if (target === undefined) continue;
    targets[at] = { ...target, count: targetCount, first_seen: first, last_seen: last };
    moved.add(at);
  }
  return { ...record, lastIntake, alert: { ...record.alert, count, first_seen, last_seen, targets_more, targets } };
}

type Counters = [
  f: number,
  count: number,
  first: Nanos,
  last: Nanos,
  more: number,
  intake: number,
  ...rows: [at: number, count: number, first: Nanos, last: Nanos][],
];

export function checkFormat(format: number): void {
  if (format > FORMATS.alertState) {
    throw new Error(
      `judge state has format ${format}, newer than ${FORMATS.alertState}: run the version that wrote it`,
    );
  }
}
