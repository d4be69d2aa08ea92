import type { IncomingMessage } from 'node:http';

/** `/t/<token>` in the path, the last resort of senders that can neither set headers nor a user in the URL. */
const URL_TOKEN = /^\/t\/([^/?]+)(.*)$/;

const urlTokens = new WeakMap<IncomingMessage, string>();

/** Takes the token out of the path before anything can log, trace, route or count the URL. */
export function stripUrlToken(request: IncomingMessage): void {
  let url = request.url ?? '/';
  if (!url.startsWith('/')) {
    // As a proxy asks (absolute form).
    url = url.replace(/^https?:\/\/[^/?]*/i, '');
    request.url = url.startsWith('/') ? url : `/${url}`;
  }
  if (!url.startsWith('/t/')) return;
  const match = URL_TOKEN.exec(url);
  // Also a malformed one (`/t/`, `/t//x`) leaves nothing of itself behind.
  urlTokens.set(request, match?.[1] ?? '');
  const rest = match?.[2] ?? '';
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

export interface Credentials {
  readonly token: string;
  /** A token from the path may do nothing but send events. */
  readonly fromUrl: boolean;
}

/** The token of a request: from the path, X-Eyrie-Token, Bearer, or the password of HTTP Basic (any user). */
export function readCredentials(request: IncomingMessage): Credentials | undefined {
  const fromUrl = urlTokens.get(request);
  if (fromUrl !== undefined) return { token: fromUrl, fromUrl: true };
  const own = request.headers['x-eyrie-token'];
  if (typeof own === 'string') return { token: own.trim(), fromUrl: false };
  const authorization = request.headers.authorization;
  if (authorization === undefined) return undefined;
  const space = authorization.indexOf(' ');
  const scheme = authorization.slice(0, space).toLowerCase();
  const value = authorization.slice(space + 1).trim();
  if (scheme === 'bearer') return { token: value, fromUrl: false };
  if (scheme !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return { token: pair.slice(pair.indexOf(':') + 1), fromUrl: false };
}
