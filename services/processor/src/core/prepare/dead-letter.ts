import { hash } from 'node:crypto';
import { type DeadLetter, LIMITS } from '@eyrie/schemas';
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
    message,
    at: meta.received_at,
    topic: 'raw',
    raw_pos: position,
    bytes: whole?.bytes ?? line.length,
    sha256: whole?.sha256 ?? hash('sha256', line, 'hex'),
    head: line.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
}
