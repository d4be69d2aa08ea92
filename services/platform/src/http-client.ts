import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, request } from 'undici';
import { AppError } from './errors.ts';
import { classifyAddress } from './http-address.ts';

/** Which addresses a destination may have. */
export type Network = 'public' | 'private';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly network: Network;
  /** From the first byte sent to the last received, milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Certificate authority of the destination, PEM, instead of those the system trusts. */
  readonly ca?: string;
  /** Default: that of the client. */
  readonly maxResponseBytes?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most `maxResponseBytes`; what is beyond is not read. */
  readonly body: string;
  readonly truncated: boolean;
}

/**
 * Requests to where others say. Addresses are checked when the socket connects, on what the name resolved to then, so
 * that a name which changes its address (rebinding) wins nothing. Redirects are never followed.
 */
export interface HttpClient {
  /** @throws HttpError */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/**
 * `refused`: the address is not allowed · `connect`: nothing was sent · `timeout`, `broken`: it may have arrived ·
 * `aborted`: by the caller.
 */
export type HttpErrorKind = 'refused' | 'connect' | 'timeout' | 'broken' | 'aborted';

export class HttpError extends AppError {
  readonly kind: HttpErrorKind;
  constructor(kind: HttpErrorKind, message: string, cause?: unknown) {
    super('EYRIE_ACTION_FAILED', message, { retryable: kind !== 'refused' && kind !== 'aborted', cause });
    this.kind = kind;
  }
}

export interface HttpClientOptions {
  readonly connectTimeoutMs?: number;
  readonly maxResponseBytes?: number;
  /** Sockets to one origin. */
  readonly connections?: number;
  /** Replaces the system's resolver, for tests of rebinding. */
  readonly resolve?: (hostname: string) => Promise<readonly LookupAddress[]>;
}

export function createHttpClient(options: HttpClientOptions = {}): HttpClient {
  const maxResponseBytes = options.maxResponseBytes ?? 64 * 1024;
  const resolve = options.resolve ?? resolveName;
  const makeAgent = (network: Network, ca: string | undefined) =>
    new Agent({
      connect: guardedConnector(network, resolve, options.connectTimeoutMs ?? 5_000, ca),
      connections: options.connections ?? 8,
      pipelining: 1,
      keepAliveTimeout: 10_000,
      maxHeaderSize: 16 * 1024,
    });
  /** One for each kind of network and authority: as many as there are connections, at most. */
  const agents = new Map<string, Agent>();
  const agentOf = (network: Network, ca: string | undefined): Agent => {
    const key = `${network}/${ca ?? ''}`;
    const agent = agents.get(key) ?? makeAgent(network, ca);
    agents.set(key, agent);
    return agent;
  };

  return {
    send: async (wanted) => {
      const timeout = AbortSignal.timeout(wanted.timeoutMs);
      const signal = wanted.signal === undefined ? timeout : AbortSignal.any([timeout, wanted.signal]);
      try {
        const answer = await request(wanted.url, {
          dispatcher: agentOf(wanted.network, wanted.ca),
          method: wanted.method,
          headers: wanted.headers,
          ...(wanted.body !== undefined && { body: wanted.body }),
          signal,
        });
        const { text, truncated } = await readBounded(answer.body, wanted.maxResponseBytes ?? maxResponseBytes);
        const headers: Record<string, string> = {};
        for (const [name, value] of Object.entries(answer.headers)) {
          if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
        }
        return { status: answer.statusCode, headers, body: text, truncated };
      } catch (error) {
        throw describe(error, wanted, timeout);
      }
    },
    close: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()));
    },
  };
}

class RefusedAddress extends Error {}

function check(address: string, network: Network): Error | undefined {
  const found = classifyAddress(address);
  if (found === 'public' || (found === 'private' && network === 'private')) return undefined;
  return new RefusedAddress(
    found === 'private'
      ? `${address} is a private address; the connection would have to say network: private`
      : `${address} is never allowed (metadata, link-local or reserved)`,
  );
}

function guardedConnector(
  network: Network,
  resolve: (hostname: string) => Promise<readonly LookupAddress[]>,
  timeoutMs: number,
  ca: string | undefined,
): buildConnector.connector {
  const guardedLookup: LookupFunction = (hostname, lookupOptions, callback) => {
    resolve(hostname).then(
      (addresses) => {
        // One bad address among good ones refuses all: the answer is not what a well-meant name gives.
        const refused = addresses.map(({ address }) => check(address, network)).find((error) => error !== undefined);
        const [first] = addresses;
        if (refused !== undefined) callback(refused, '', 4);
        else if (first === undefined) callback(new Error(`${hostname} has no address`), '', 4);
        else if (lookupOptions.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, '', 4),
    );
  };
  const connect = buildConnector({
    timeout: timeoutMs,
    lookup: guardedLookup,
    autoSelectFamily: true,
    ...(ca !== undefined && { ca }),
  });
  return (target, callback) => {
    // A literal address is never looked up.
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const refused = isIP(host) > 0 ? check(host, network) : undefined;
    if (refused !== undefined) {
      callback(refused, null);
      return;
    }
    connect(target, (...result) => {
      const [error, socket] = result;
      const reached = error === null ? check(socket.remoteAddress ?? '', network) : undefined;
      if (reached === undefined) callback(...result);
      else {
        socket?.destroy();
        callback(reached, null);
      }
    });
  };
}

function resolveName(hostname: string): Promise<readonly LookupAddress[]> {
  return new Promise((done, fail) => {
    lookup(hostname, { all: true }, (error, addresses) => (error === null ? done(addresses) : fail(error)));
  });
}

async function readBounded(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maximum: number,
): Promise<{ text: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let left = maximum;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left < 0) break; // Leaving the loop destroys the stream.
  }
  return { text: Buffer.concat(chunks).toString('utf8'), truncated: left < 0 };
}

const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** The URL is left out of messages, because webhook URLs are secrets; the host says enough. */
function describe(error: unknown, { url, signal }: HttpRequest, timeout: AbortSignal): HttpError {
  const { host } = new URL(url);
  if (error instanceof RefusedAddress) return new HttpError('refused', `${host}: ${error.message}`, error);
  if (signal?.aborted === true) return new HttpError('aborted', `${host}: aborted`, error);
  if (timeout.aborted) return new HttpError('timeout', `${host}: no answer in time`, error);
  const code = (error as { readonly code?: unknown }).code;
  const nested = error instanceof AggregateError ? (error.errors[0] as { readonly code?: unknown }).code : undefined;
  const known = [code, nested].find((value): value is string => typeof value === 'string');
  if (known !== undefined && NOT_CONNECTED.has(known)) return new HttpError('connect', `${host}: ${known}`, error);
  return new HttpError('broken', `${host}: ${known ?? 'the connection broke'}`, error);
}
