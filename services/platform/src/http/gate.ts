import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Scope } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import type { Principal } from '../tokens.ts';
import { readCredentials } from './credentials.ts';

/** What a client certificate says, once its chain was verified. */
export interface ClientCertificate {
  readonly commonName: string;
  /** SHA-256 (hex) of the certificate. */
  readonly sha256: string;
}

export interface GateOptions {
  /** The principal of a token that exists and is valid now. */
  readonly authenticate: (token: string) => Principal | undefined;
  /** The principal of a verified client certificate. */
  readonly authenticateCertificate?: (certificate: ClientCertificate) => Principal | undefined;
  /** True: without a verified client certificate nobody comes in, whatever the token. */
  readonly requireCertificate: boolean;
}

/** Decides who is asking. @throws AppError EYRIE_HTTP_UNAUTHENTICATED */
export type Identify = (request: IncomingMessage) => Principal;

const HOW = 'send a token by Authorization: Bearer, X-Eyrie-Token, or as the password of HTTP Basic';

export function createIdentify(options: GateOptions): Identify {
  return (request) => {
    const certificate = readCertificate(request);
    if (options.requireCertificate && certificate === undefined) {
      throw new AppError('EYRIE_HTTP_UNAUTHENTICATED', 'a client certificate of a known authority is required');
    }
    const credentials = readCredentials(request);
    if (credentials === undefined) {
      const principal = certificate && options.authenticateCertificate?.(certificate);
      if (principal !== undefined) return principal;
      throw new AppError('EYRIE_HTTP_UNAUTHENTICATED', `no token; ${HOW}`);
    }
    const principal = options.authenticate(credentials.token);
    if (principal === undefined) {
      throw new AppError('EYRIE_HTTP_UNAUTHENTICATED', 'the token is unknown, revoked or expired');
    }
    return credentials.fromUrl ? { ...principal, scopes: principal.scopes.filter((s) => s === 'intake') } : principal;
  };
}

/** @throws AppError EYRIE_HTTP_FORBIDDEN */
export function requireScope(principal: Principal, scope: Scope): void {
  if (principal.scopes.includes(scope)) return;
  throw new AppError('EYRIE_HTTP_FORBIDDEN', `the token lacks the scope ${scope}`);
}

function readCertificate({ socket }: IncomingMessage): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  if (fingerprint256 === undefined) return undefined;
  const name: unknown = subject.CN;
  return {
    commonName: typeof name === 'string' ? name : '',
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}
