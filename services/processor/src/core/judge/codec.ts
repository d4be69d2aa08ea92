import { type AlertChange, FORMATS, type Nanos, type Sample, type Target } from '@eyrie/schemas';
import { beginning, seal } from './head.ts';
import { NewerFormat } from './newer-format.ts';
import type { AlertRecord } from './record.ts';

/** A whole record as stored. Bytes of its own: closed alerts keep theirs, and a slice would keep a pool of 8 KiB each. */
export function encodeRecord(record: AlertRecord): Buffer {
  const start = beginning(record);
  const text = `${start}${JSON.stringify(record)}}`;
  const value = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  value.write(text);
  // All that stands in a head is ASCII.
  seal(value, start.length);
  return value;
}

export function decodeRecord(value: Buffer): AlertRecord {
  const { f, record } = JSON.parse(value.toString()) as { f: number; record: AlertRecord };
  checkFormat(f);
  return record;
}

/** How much of a record stands in what was written whole. */
export interface Whole {
  readonly wholeTargets: number;
  readonly wholeSamples: number;
}

/** Targets and samples that came since the whole record was written; how the targets grow stands with the counters. */
export function encodeAdded({ alert }: AlertRecord, { wholeTargets, wholeSamples }: Whole): Buffer {
  const added: Added = {
    f: FORMATS.alertState,
    targets: alert.targets.slice(wholeTargets),
    samples: alert.samples.slice(wholeSamples),
  };
  return Buffer.from(JSON.stringify(added));
}

interface Added {
  readonly f: number;
  readonly targets: readonly Target[];
  readonly samples: readonly Sample[];
}

export function applyAdded(record: AlertRecord, value: Buffer): AlertRecord {
  const { f, targets, samples } = JSON.parse(value.toString()) as Added;
  checkFormat(f);
  const { alert } = record;
  return {
    ...record,
    alert: { ...alert, targets: [...alert.targets, ...targets], samples: [...alert.samples, ...samples] },
  };
}

/**
 * What moved since the whole record was written: growth and the versions that told of it, nothing else. [format, count,
 * first, last, more, intake, version, change, updated, documents, written, breakthroughs, [target, count, first, last]…]
 */
export function encodeCounters(
  { alert, lastIntake, writtenCount, breakThroughs }: AlertRecord,
  moved: Iterable<number>,
): Buffer {
  const { count, first_seen, last_seen, targets_more, version, change, updated_at, documents_version } = alert;
  let text = `[${FORMATS.alertState},${count},"${first_seen}","${last_seen}",${targets_more},${lastIntake}`;
  text += `,${version},"${change}",${updated_at},${documents_version},${writtenCount},${breakThroughs}`;
  for (const at of moved) {
    const target = alert.targets[at];
    if (target !== undefined) text += `,[${at},${target.count},"${target.first_seen}","${target.last_seen}"]`;
  }
  return Buffer.from(`${text}]`, 'latin1');
}

/** The record with its counters; `moved` gets the targets they name. */
export function applyCounters(record: AlertRecord, value: Buffer, moved: Set<number>): AlertRecord {
  const fields = JSON.parse(value.toString('latin1')) as Counters;
  checkFormat(fields[0]);
  const [
    ,
    count,
    first_seen,
    last_seen,
    targets_more,
    lastIntake,
    version,
    change,
    updated_at,
    documents_version,
    writtenCount,
    breakThroughs,
    ...rows
  ] = fields;
  const targets = record.alert.targets.slice();
  for (const [at, targetCount, first, last] of rows) {
    const target = targets[at];
    if (target === undefined) continue;
    targets[at] = { ...target, count: targetCount, first_seen: first, last_seen: last };
    moved.add(at);
  }
  const grown = { count, first_seen, last_seen, targets_more, targets, version, change, updated_at, documents_version };
  return { ...record, lastIntake, writtenCount, breakThroughs, alert: { ...record.alert, ...grown } };
}

/** What counters say of growth, without the record they belong to. @throws NewerFormat, SyntaxError, TypeError */
export function growthOf(value: Buffer): {
  readonly count: number;
  readonly writtenCount: number;
  readonly updatedAt: number;
} {
  const fields = JSON.parse(value.toString('latin1')) as Counters;
  checkFormat(fields[0]);
  return { count: fields[1], writtenCount: fields[10], updatedAt: fields[8] };
}

type Counters = [
  f: number,
  count: number,
  first: Nanos,
  last: Nanos,
  more: number,
  intake: number,
  version: number,
  change: AlertChange,
  updated: number,
  documents: number,
  written: number,
  breakThroughs: number,
  ...rows: [at: number, count: number, first: Nanos, last: Nanos][],
];

export function checkFormat(format: number): void {
  if (!Number.isSafeInteger(format)) throw new TypeError('no format');
  if (format > FORMATS.alertState) {
    throw new NewerFormat(`judge state has format ${format}, newer than ${FORMATS.alertState}`);
  }
}
