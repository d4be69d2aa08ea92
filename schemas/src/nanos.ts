/**
 * A moment as nanoseconds since 1970 in UTC, written as 19 decimal digits with leading zeros.
 * A string keeps what a double cannot (2^53 < 1.8e18), sorts by plain comparison and costs no BigInt on the hot path.
 */
export type Nanos = string & { readonly __brand: 'Nanos' };

const ZERO_MS = '000000';

/** From integer milliseconds since 1970. */
export function nanosOfMs(ms: number): Nanos {
  return (String(Math.max(0, Math.trunc(ms))).padStart(13, '0') + ZERO_MS) as Nanos;
}

/** Whole milliseconds since 1970 (rounded down). */
export function msOfNanos(nanos: Nanos): number {
  if (nanos.length < 13) return Number(nanos);
  // Digit by digit: done for every event several times, and without a piece of text.
  let ms = 0;
  for (let i = 0; i < 13; i += 1) ms = ms * 10 + nanos.charCodeAt(i) - 48;
  return ms;
}

/** ISO 8601 in UTC with nine digits of fraction, as Falco writes it. */
export function isoOfNanos(nanos: Nanos): string {
  return `${new Date(Number(nanos.slice(0, 10)) * 1000).toISOString().slice(0, 19)}.${nanos.slice(10)}Z`;
}

/** `YYYY-MM` of a moment in UTC. */
export function monthOfNanos(nanos: Nanos): string {
  return new Date(msOfNanos(nanos)).toISOString().slice(0, 7);
}

// Event times cluster within seconds: one remembered second saves nearly every Date.parse.
let lastSecondText = '';
let lastSecond = '';

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})$/;

/**
 * Reads RFC 3339 with 0 to 9 digits of fraction (falcosidekick trims trailing zeros).
 * Undefined when the text is no time between 1970 and 2262.
 */
export function parseNanos(text: string): Nanos | undefined {
  if (text.length === 30 && text.charCodeAt(29) === 90 && text.charCodeAt(19) === 46) {
    const fraction = text.slice(20, 29);
    if (text.slice(0, 19) === lastSecondText && DIGITS9.test(fraction)) return (lastSecond + fraction) as Nanos;
  }
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, second = '', fraction = '', zone = 'Z'] = match;
  const seconds = zone === 'Z' ? secondsOf(second) : Date.parse(`${second}${zone}`) / 1000;
  if (!(seconds >= 0 && seconds <= LAST_SECOND)) return undefined;
  const digits = String(seconds).padStart(10, '0');
  if (zone === 'Z') {
    lastSecondText = second;
    lastSecond = digits;
  }
  return (digits + fraction.padEnd(9, '0')) as Nanos;
}

/** 2262: what 64 bits of nanoseconds hold. */
const LAST_SECOND = 9_223_372_036;

/** Seconds since 1970 of `YYYY-MM-DDTHH:MM:SS` in UTC; NaN for a day or time that does not exist. By hand: Date.parse is slower. */
function secondsOf(text: string): number {
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))];
  const [hour, minute, second] = [Number(text.slice(11, 13)), Number(text.slice(14, 16)), Number(text.slice(17, 19))];
  const midnight = Date.UTC(year, month - 1, day);
  // 31 February would roll over, and years below 100 count from 1900: both are seen in what comes out.
  const date = new Date(midnight);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return Number.NaN;
  return hour > 23 || minute > 59 || second > 59 ? Number.NaN : midnight / 1000 + hour * 3600 + minute * 60 + second;
}

const DIGITS9 = /^\d{9}$/;
