import { createHmac, timingSafeEqual } from 'node:crypto';

/** Requests older or newer than this are not taken, milliseconds. */
const SKEW_MS = 300_000;

/**
 * Whether Slack signed these very bytes: HMAC-SHA-256 with the app's signing secret over `v0:timestamp:body`.
 * Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
 */
export function isSignedBySlack(
  secret: string,
  { timestamp, signature }: { readonly timestamp: string; readonly signature: string },
  body: Buffer,
  now: number,
): boolean {
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp) * 1_000) > SKEW_MS) return false;
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  const given = Buffer.from(signature);
  const wanted = Buffer.from(`v0=${expected}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
