import { msOfNanos, type Nanos } from '@eyrie/schemas';

/** A moment moved by whole milliseconds; its nanoseconds stay. */
export function addMs(nanos: Nanos, ms: number): Nanos {
  return (String(Math.max(0, msOfNanos(nanos) + ms)).padStart(13, '0') + nanos.slice(13)) as Nanos;
}

export function laterOf(a: Nanos, b: Nanos): Nanos {
  return a > b ? a : b;
}

export function earlierOf(a: Nanos, b: Nanos): Nanos {
  return a < b ? a : b;
}
