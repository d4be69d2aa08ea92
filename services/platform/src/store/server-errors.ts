import { AppError } from '../errors.ts';
import type { ServerAnswer } from './clickhouse.ts';
import { isDenied, textOf, toStoreError, unavailable } from './failures.ts';
import type { EngineFailure } from './session.ts';

/** Which server an error speaks of, and as whom it was asked. Never the password. */
export interface Whereabouts {
  readonly origin: string;
  readonly user: string;
  /** The settings to look at: `EYRIE_CLICKHOUSE_USER`, … */
  readonly settings: { readonly user: string; readonly password: string };
}

const HEAD_CHARS = 300;

/** Connections that never came about: what to look at. */
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the server running, and is this its HTTP port (8123, with TLS 8443)?',
  ENOTFOUND: 'no such host: check EYRIE_CLICKHOUSE_URL',
  EAI_AGAIN: 'the name cannot be resolved now: check EYRIE_CLICKHOUSE_URL and the name service',
  ETIMEDOUT: 'the outcome of the request is unknown',
  ECONNRESET: 'the connection was cut; the outcome of the request is unknown',
  EPIPE: 'the connection was cut; the outcome of the request is unknown',
  EPROTO: 'it does not speak TLS there: check scheme and port of EYRIE_CLICKHOUSE_URL',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there: check scheme and port of EYRIE_CLICKHOUSE_URL',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP there: check scheme and port of EYRIE_CLICKHOUSE_URL',
};
const CERTIFICATE = /CERT|UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED/;

/** What the connection met on the way. Retryable: most of it passes, and tokens make a repeat harmless. */
export function toUnreachable({ origin }: Whereabouts, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = connectionCode(error);
  const message = error instanceof Error ? error.message : String(error);
  const advice =
    ADVICE[code] ??
    (CERTIFICATE.test(code) ? 'its certificate is not trusted: check EYRIE_CLICKHOUSE_TLS_CA_FILE' : '');
  return unavailable([origin, message || code, advice].filter((part) => part !== '').join(': '), error);
}

export function connectionCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** An answer that is no result, as an error; undefined for a result. */
export function failureIn({ status, exception, text }: ServerAnswer): EngineFailure | undefined {
  if (exception === 0 && status >= 200 && status < 300) return undefined;
  const code = exception || Number(/^Code: (\d+)\./.exec(text)?.[1] ?? 0);
  return { code, message: code === 0 ? `HTTP ${status}: ${text.trim().slice(0, HEAD_CHARS)}` : text.trim() };
}

/** For statements of ours. */
export function toServerError(at: Whereabouts, answer: ServerAnswer, failure: EngineFailure): AppError {
  // A proxy, a load balancer, a server on its way up or down.
  if (failure.code === 0 && answer.status >= 500) return unavailable(`${at.origin}: ${failure.message}`);
  const denied = toDenied(at, failure);
  if (denied !== undefined) return denied;
  const error = toStoreError(failure);
  return new AppError(error.code, `${at.origin}: ${error.message}`, { retryable: error.retryable });
}

/** A user who may not enter, or may not do this; undefined for other failures. */
export function toDenied({ origin, user, settings }: Whereabouts, failure: EngineFailure): AppError | undefined {
  const kind = isDenied(failure);
  if (kind === undefined) return undefined;
  const advice =
    kind === 'entry'
      ? `check ${settings.user} and ${settings.password}`
      : 'let an administrator grant that to the user (docs/operations.md lists what it takes)';
  return new AppError('EYRIE_STORE_FORBIDDEN', `${origin}: user ${user}: ${textOf(failure)}: ${advice}`);
}
