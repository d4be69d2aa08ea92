import { crc32 } from 'node:zlib';
import { type AlertId, type Fingerprint, FORMATS, type Nanos } from '@eyrie/schemas';
import type { AlertRecord } from './record.ts';
import { isOpen } from './state.ts';

/** What a restore has to know of an open alert before anybody asks for it. */
export interface Head {
  readonly fingerprint: Fingerprint;
  readonly end: Nanos;
  readonly count: number;
  readonly writtenCount: number;
  readonly updatedAt: number;
}

const NO_SUM = '00000000';
const SUM_AT = `{"f":${FORMATS.alertState},"h":["`.length;
const HEAD_MAX = 512;
const HEAD = new RegExp(
  `^\\{"f":${FORMATS.alertState},"h":\\["([0-9a-f]{8})","([^"\\\\]*)","([^"\\\\]*)","(\\d+)",(\\d+),(\\d+),(\\d+)\\],"record":`,
);

/**
 * The beginning of a stored record. An open alert that waits for nothing has a head before it: what is needed of it until it
 * is asked for, and a sum over the record, because nobody reads it before. A reader that knows no heads passes it over.
 */
export function beginning({ alert, end, writtenCount, waiting, hidden }: AlertRecord): string {
  const hasHead = isOpen(alert) && waiting === undefined && hidden.silences === undefined;
  if (!hasHead) return `{"f":${FORMATS.alertState},"record":`;
  const { alert_id: id, fingerprint, count, updated_at: updated } = alert;
  const names = `"${NO_SUM}",${JSON.stringify(id)},${JSON.stringify(fingerprint)},"${end}"`;
  return `{"f":${FORMATS.alertState},"h":[${names},${count},${writtenCount},${updated}],"record":`;
}

/** Puts the sum over the record, which begins at `from` and ends before the last brace, into the head. */
export function seal(value: Buffer, from: number): void {
  if (value.toString('latin1', SUM_AT, SUM_AT + NO_SUM.length) !== NO_SUM) return;
  value.write(sumOf(value, from), SUM_AT, 'latin1');
}

/** Undefined for a record without a head, and for one whose sum does not hold: that is read whole. */
export function headOf(alertId: AlertId, value: Buffer): Head | undefined {
  const found = HEAD.exec(value.toString('latin1', 0, Math.min(HEAD_MAX, value.length)));
  if (found === null) return undefined;
  const [whole, sum, id, fingerprint, end, count, writtenCount, updatedAt] = found;
  if (id !== alertId || sum !== sumOf(value, whole.length)) return undefined;
  return {
    fingerprint: fingerprint as Fingerprint,
    end: end as Nanos,
    count: Number(count),
    writtenCount: Number(writtenCount),
    updatedAt: Number(updatedAt),
  };
}

function sumOf(value: Buffer, from: number): string {
  return crc32(value.subarray(from, value.length - 1))
    .toString(16)
    .padStart(8, '0');
}
