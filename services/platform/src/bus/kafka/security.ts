import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, connect as openPlain } from 'node:net';
import { createSecureContext, connect as openTls, type SecureContextOptions } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';
import { AppError } from '../../errors.ts';
import type { SASL_MECHANISMS } from './settings.ts';

/** PEM files. Without an authority those of Node are trusted; certificate and key go together (mTLS). */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface Sasl {
  readonly mechanism: (typeof SASL_MECHANISMS)[number];
  readonly username: string;
  readonly password: string;
}

export interface Security {
  /** Absent: no TLS. */
  readonly tls?: TlsFiles;
  readonly sasl?: Sasl;
}

const KEEP_ALIVE_MS = 60_000;

/**
 * Opens every connection, and reads the files each time: a file changed on disk is used from the next connection on. One
 * that is open keeps the certificate it was opened with; the library has no way to renew it.
 */
export function createSocketFactory({ tls }: Security): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket =
      tls === undefined
        ? openPlain({ host, port }, onConnect)
        : openTls({ host, port, ...named, ...readTls(tls) }, onConnect);
    // Every write is a whole request: none waits for what the one before it is answered.
    return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
  };
}

/**
 * Read at the start, so that what cannot be used is named before anything connects.
 * @throws AppError EYRIE_CONFIG_INVALID
 */
export function checkSecurity({ tls }: Security): void {
  if (tls === undefined) return;
  const read = readTls(tls);
  try {
    createSecureContext(read);
  } catch (cause) {
    const files = Object.values(tls).join(', ');
    throw new AppError('EYRIE_CONFIG_INVALID', `${files}: not PEM, or key and certificate do not fit`, { cause });
  }
}

/** Who the brokers take this process for, unless they map names: what an ACL is to name. */
export function principalOf({ tls, sasl }: Security): string {
  if (sasl !== undefined) return `User:${sasl.username}`;
  if (tls?.certFile === undefined) return 'User:ANONYMOUS';
  const { subject } = new X509Certificate(readPem(tls.certFile));
  return `User:${subject.split('\n').reverse().join(',')}`;
}

/** @throws AppError EYRIE_CONFIG_INVALID; an expired certificate of our own too: a broker says of it only that it is bad */
function readTls({ caFile, certFile, keyFile }: TlsFiles): SecureContextOptions {
  const cert = certFile === undefined ? undefined : readPem(certFile);
  if (cert !== undefined) checkDates(certFile ?? '', cert);
  return {
    ...(caFile !== undefined && { ca: readPem(caFile) }),
    ...(cert !== undefined && { cert }),
    ...(keyFile !== undefined && { key: readPem(keyFile) }),
  };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new AppError('EYRIE_CONFIG_INVALID', `${file}: cannot be read`, { cause });
  }
}

function checkDates(file: string, pem: Buffer): void {
  let until: Date;
  try {
    until = new Date(new X509Certificate(pem).validTo);
  } catch (cause) {
    throw new AppError('EYRIE_CONFIG_INVALID', `${file}: holds no certificate in PEM`, { cause });
  }
  if (until.getTime() >= Date.now()) return;
  throw new AppError('EYRIE_CONFIG_INVALID', `${file}: the certificate expired at ${until.toISOString()}. Renew it`);
}
