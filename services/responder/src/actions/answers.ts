import { HttpError, type HttpResponse } from '@eyrie/platform/http-client';
import { maskSecrets } from '@eyrie/platform/mask';
import type { EffectResult } from '../core/owner/decision.ts';

/** What a status that is no success means for the action. */
export function failedAnswer({ status, headers, body }: HttpResponse): EffectResult {
  const detail = `HTTP ${status}: ${maskSecrets(body.slice(0, 300))}`;
  if (status === 429) {
    const afterMs = retryAfterMs(headers);
    return { kind: 'retry', reason: 'http_429', afterMs, detail };
  }
  if (status === 408 || status === 425) return { kind: 'retry', reason: 'http_4xx', detail };
  if (status >= 500) return { kind: 'retry', reason: 'http_5xx', detail };
  if (status >= 300 && status < 400) return { kind: 'failed', reason: 'redirect', detail };
  return { kind: 'failed', reason: 'http_4xx', detail };
}

/**
 * Seconds or a date of `Retry-After`, or the moment of GitLab's `RateLimit-Reset`. Without a usable header a minute: more than
 * most limits ask for, and less than anyone would miss.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now = Date.now()): number {
  const written = headers['retry-after'] ?? '';
  const reset = headers['ratelimit-reset'] ?? '';
  const date = Date.parse(written);
  const waits = [
    /^\d{1,6}$/.test(written) ? Number(written) * 1_000 : Number.NaN,
    /^[A-Z][a-z]{2},/.test(written) ? date - now : Number.NaN,
    /^\d{9,11}$/.test(reset) ? Number(reset) * 1_000 - now : Number.NaN,
  ];
  const wait = waits.find((ms) => Number.isFinite(ms));
  return wait === undefined ? 60_000 : Math.min(3_600_000, Math.max(1_000, wait));
}

/** What a request that got no answer means: nothing was sent, or it may have arrived. */
export function failedRequest(error: unknown): EffectResult {
  if (!(error instanceof HttpError)) throw error;
  const detail = error.message;
  switch (error.kind) {
    case 'refused':
      return { kind: 'failed', reason: 'address_refused', detail };
    case 'connect':
      return { kind: 'retry', reason: 'network', detail };
    case 'aborted':
      return { kind: 'ambiguous', reason: 'shutdown', detail };
    case 'timeout':
      return { kind: 'ambiguous', reason: 'timeout', detail };
    case 'broken':
      return { kind: 'ambiguous', reason: 'network', detail };
  }
}
