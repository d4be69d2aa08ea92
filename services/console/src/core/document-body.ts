import { type DocumentRecord, type Exception, msOfNanos, parseNanos, type Silence } from '@eyrie/schemas';
import type { ExceptionInput, SilenceInput } from '@eyrie/schemas/api';
import { isoOfMs } from './present.ts';

/** A silence as people write it, as the record that judges read: in milliseconds, from now on where no start is given. */
export function readSilence({ matchers, starts_at, ends_at, comment }: SilenceInput, now: number): Silence {
  return { matchers, starts_at: starts_at === undefined ? now : ms(starts_at), ends_at: ms(ends_at), comment };
}

export function readException({ matchers, expires_at, comment }: ExceptionInput): Exception {
  return { matchers, expires_at: ms(expires_at), comment };
}

/** What is wrong with the span of a document, if anything: one that is over before it begins does nothing. */
export function problemOfSpan(body: Silence | Exception, now: number): string | undefined {
  const end = 'ends_at' in body ? body.ends_at : body.expires_at;
  const name = 'ends_at' in body ? 'ends_at' : 'expires_at';
  if (end <= now) return `${name} lies in the past`;
  return 'starts_at' in body && body.starts_at >= end ? 'starts_at is not before ends_at' : undefined;
}

/** The record as people read it. */
export function presentDocument({ kind, id, version, author, at, body }: DocumentRecord) {
  const shown: Record<string, unknown> | null = body === null ? null : { ...body };
  for (const key of ['starts_at', 'ends_at', 'expires_at']) {
    const value = shown?.[key];
    if (shown !== null && typeof value === 'number') shown[key] = isoOfMs(value);
  }
  return { kind, id, version, author, at: isoOfMs(at), body: shown };
}

function ms(time: string): number {
  const nanos = parseNanos(time);
  // The API schema let it through, so it is a time.
  return nanos === undefined ? 0 : msOfNanos(nanos);
}
