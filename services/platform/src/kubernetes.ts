import { readFileSync } from 'node:fs';
import type { ClusterTarget } from './connections.ts';
import { AppError } from './errors.ts';
import type { HttpClient, HttpRequest } from './http-client.ts';

export interface KubernetesRequest {
  readonly method: HttpRequest['method'];
  /** Segments of the path: each is encoded, so that no name of a pod can leave its place. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Default `application/json`; a patch names its own. */
  readonly contentType?: 'application/json' | 'application/merge-patch+json';
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface KubernetesAnswer {
  readonly status: number;
  /** The object, parsed; undefined where the answer is none. */
  readonly body: unknown;
  /** Reason and message of a Status: why it was refused. */
  readonly reason: string;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** The largest object etcd stores is 1.5 MiB; lists are asked for in pages. */
const ANSWER_MAX = 4 * 1024 * 1024;

/**
 * One request to an API server. The token is read for each: those of service accounts are renewed in place.
 * @throws HttpError when there is no answer; AppError EYRIE_ACTION_FAILED (retryable) when the token cannot be read
 */
export async function callKubernetes(
  http: HttpClient,
  { server, ca, tokenFile, network }: ClusterTarget,
  { method, path, query = {}, body, contentType = 'application/json', timeoutMs, signal }: KubernetesRequest,
): Promise<KubernetesAnswer> {
  // A name of dots alone would climb out of its place: encoding leaves dots as they are.
  if (path.some((segment) => /^\.*$/.test(segment))) {
    throw new AppError('EYRIE_ACTION_FAILED', `"${path.join('/')}" is no path of an API server`);
  }
  const url = new URL(server);
  url.pathname = [url.pathname.replace(/\/$/, ''), ...path.map(encodeURIComponent)].join('/');
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const answer = await http.send({
    url: url.href,
    method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${readToken(tokenFile)}`,
      'user-agent': 'eyrie',
      ...(body !== undefined && { 'content-type': contentType }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(ca !== undefined && { ca }),
    network,
    timeoutMs,
    signal,
    maxResponseBytes: ANSWER_MAX,
  });
  const parsed = answer.truncated ? undefined : parseJson(answer.body);
  const { reason, message, details } = (parsed ?? {}) as {
    readonly reason?: unknown;
    readonly message?: unknown;
    readonly details?: { readonly retryAfterSeconds?: unknown };
  };
  const seconds = Number(answer.headers['retry-after'] ?? details?.retryAfterSeconds ?? Number.NaN);
  return {
    status: answer.status,
    body: parsed,
    reason: typeof reason === 'string' ? reason : '',
    message: typeof message === 'string' ? message.slice(0, 500) : answer.body.slice(0, 200),
    ...(seconds > 0 && { retryAfterMs: Math.min(3_600, seconds) * 1_000 }),
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new AppError('EYRIE_ACTION_FAILED', `the token of the cluster cannot be read from ${file}`, {
      retryable: true,
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
