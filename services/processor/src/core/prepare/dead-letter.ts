import { hash } from 'node:crypto';
import { type DeadLetter, LIMITS, type RawMeta } from '@eyrie/schemas';
import type { PlacedLine } from './prepare-line.ts';

/** Keeps a refused line with its reason. The same for every repeat of the line, so nothing here reads a clock. */
export function deadLetterOf({ line, meta, index, position }: PlacedLine, reason: string, message: string): DeadLetter {
  // The gateway keeps only the head of a line over the bound, and says what the whole was.
  const whole = meta.oversize?.find((entry) => entry.index === index);
  return {
    v: 1,
    tenant: meta.tenant,
    ...(meta.cluster !== '*' && { cluster: meta.cluster }),
    stage: 'prepare',
    reason,
    message: `${message}${recordOf(meta, index)}`,
    at: meta.received_at,
    topic: 'raw',
    raw_pos: position,
    bytes: whole?.bytes ?? line.length,
    sha256: whole?.sha256 ?? hash('sha256', line, 'hex'),
    head: line.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
}

/** Where a line of another program's topic lies there. */
function recordOf({ record, lines }: RawMeta, index: number): string {
  if (record === undefined) return '';
  const { topic, partition, first, last } = record;
  const offset = last - first + 1 === lines ? first + index : first;
  return ` (topic ${topic}, partition ${partition}, offset ${offset})`;
}
