import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { AppError, describeError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { stripUrlToken } from './credentials.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates: with it, a client without one of theirs gets 401. */
  readonly clientCaFile?: string;
}

export interface HttpLimits {
  /** Bytes of a body, before decompression. */
  readonly bodyBytes: number;
  readonly headerBytes: number;
  readonly connections: number;
  /** From the first byte of a request to its last, milliseconds. */
  readonly requestMs: number;
  readonly headersMs: number;
  /**
   * Idle time of a kept connection, milliseconds. Long: a quiet sensor sends an event an hour, and one that finds its
   * connection closed may lose the event.
   */
  readonly keepAliveMs: number;
  /** How long running requests may take to end once the server closes, milliseconds; then they are cut off. */
  readonly drainMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  bodyBytes: 4 * 1024 * 1024,
  headerBytes: 16 * 1024,
  connections: 10_000,
  requestMs: 30_000,
  headersMs: 10_000,
  keepAliveMs: 600_000,
  drainMs: 3_000,
};

/** How often certificate files are compared with those in use, milliseconds. */
const RELOAD_MS = 10_000;

export interface Listener {
  readonly server: http.Server;
  /** Takes up changed certificate files now. */
  reload(): void;
  stop(): void;
}

/** A node server with bounds and TLS, whose requests carry no token in their URL any more. @throws AppError EYRIE_CONFIG_INVALID */
export function createListener(options: {
  readonly handler: http.RequestListener;
  readonly limits: HttpLimits;
  readonly tls: TlsFiles | undefined;
  readonly log: Logger;
  readonly reloadMs?: number;
}): Listener {
  const { limits, tls, log } = options;
  const listener: http.RequestListener = (request, response) => {
    stripUrlToken(request);
    options.handler(request, response);
  };
  const bounds: http.ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    requestTimeout: limits.requestMs,
    headersTimeout: Math.min(limits.headersMs, limits.requestMs),
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs / 2),
    noDelay: true,
  };
  if (tls === undefined) {
    const server = http.createServer(bounds, listener);
    server.maxConnections = limits.connections;
    return { server, reload: () => undefined, stop: () => undefined };
  }
  let used = readTls(tls);
  const server = https.createServer(
    { ...bounds, ...used, minVersion: 'TLSv1.2', ...clientCertificates(tls) },
    listener,
  );
  server.maxConnections = limits.connections;
  const reload = () => {
    try {
      const found = readTls(tls);
      if (found.cert === used.cert && found.key === used.key && found.ca === used.ca) return;
      server.setSecureContext({ ...found, minVersion: 'TLSv1.2' });
      used = found;
      log.info({ certFile: tls.certFile }, 'certificate reloaded');
    } catch (error) {
      // Half-written files: the old certificate stays in use until the next look.
      log.warn({ reason: describeError(error) }, 'certificate not reloaded');
    }
  };
  const timer = setInterval(reload, options.reloadMs ?? RELOAD_MS).unref();
  return { server, reload, stop: () => clearInterval(timer) };
}

// Checked per request (health answers without): a client learns what is missing instead of a broken handshake.
function clientCertificates(tls: TlsFiles): https.ServerOptions {
  return tls.clientCaFile === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
}

function readTls(tls: TlsFiles): { cert: string; key: string; ca?: string } {
  return {
    cert: readPem(tls.certFile),
    key: readPem(tls.keyFile),
    ...(tls.clientCaFile === undefined ? {} : { ca: readPem(tls.clientCaFile) }),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError('EYRIE_CONFIG_INVALID', `cannot read the TLS file ${file}`, { cause });
  }
}
