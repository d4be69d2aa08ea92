import { Pool } from 'undici';
import { AppError } from '../errors.ts';

/** What a server answered, in full. */
export interface Posted {
  readonly status: number;
  readonly text: string;
}

export interface Poster {
  /** @throws AppError EYRIE_SEND_FAILED, retryable, when no whole answer came */
  post(body: Buffer, signal?: AbortSignal): Promise<Posted>;
  close(): Promise<void>;
}

/** Answers of a gateway are far smaller. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/** Posts lines of events over kept connections. @throws AppError EYRIE_USAGE for a bad URL or token */
export function createPoster(options: {
  readonly url: string;
  readonly token: string;
  readonly timeoutMs: number;
  readonly connections: number;
}): Poster {
  const url = parseUrl(options.url);
  // A header cannot carry it, and the client would say so again and again.
  if (!/^[\x21-\x7e]+$/.test(options.token)) {
    throw new AppError('EYRIE_USAGE', 'the token holds a blank or a character that no token has; check --token');
  }
  const pool = new Pool(url.origin, {
    connections: options.connections,
    pipelining: 1,
    connect: { timeout: options.timeoutMs },
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
  });
  const path = url.pathname === '/' ? '/v1/events' : url.pathname;
  const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${options.token}` };
  return {
    post: async (body, signal) => {
      try {
        const answer = await pool.request({ method: 'POST', path, headers, body, ...(signal && { signal }) });
        return { status: answer.statusCode, text: await readText(answer.body) };
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
        throw new AppError('EYRIE_SEND_FAILED', `${url.origin}: ${reason}`, { retryable: true, cause });
      }
    },
    close: () => pool.destroy(),
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new AppError('EYRIE_USAGE', 'the URL of the gateway must start with http:// or https://');
  }
  return url;
}
