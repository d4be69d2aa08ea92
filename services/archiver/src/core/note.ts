import { FORMATS, type TopicName } from '@eyrie/schemas';
import type { BusRange } from './ranges.ts';

/** What is noted beside the position of an input, in the same step. */
export interface Note {
  /** The history of offsets the position belongs to; notes of version 1 did not say. */
  readonly log?: string;
  /** Records whose insert may be under way. */
  readonly range?: BusRange;
  /** Records below this offset may be stored already, under another identity of the log. */
  readonly until?: number;
}

export function encodeNote({ log, range, until }: Note): string {
  return JSON.stringify({ v: FORMATS.archiverNote, log, ...(range && { min: range.min, max: range.max }), until });
}

/** @throws when the note is none of ours, or of a newer version */
export function decodeNote(topic: TopicName, text: string | undefined): Note {
  if (text === undefined || text === '') return {};
  const { v = 1, log, min, max, until } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const isRange = isOffset(min) && isOffset(max);
  if (v === 1 && isRange) return { range: { topic, min, max } };
  const isBare = min === undefined && max === undefined;
  if (
    v !== FORMATS.archiverNote ||
    typeof log !== 'string' ||
    !(isRange || isBare) ||
    !(until === undefined || isOffset(until))
  ) {
    throw new Error(`not a note of the archiver, or of a newer one: ${text}`);
  }
  return { log, ...(isRange && { range: { topic, min, max } }), ...(until !== undefined && { until }) };
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
