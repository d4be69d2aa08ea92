import { AppError } from '../../errors.ts';
import { describeMissingAcl, describeSasl, describeTls, type Needs } from './refusals.ts';

/** What the coordinator says to an owner whose partition has another one: its epoch, or its transaction, is over. */
const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE']);
/** The library knows no name for it. */
const PRODUCER_FENCED = 90;
const REFUSED =
  /AUTHORIZATION_FAILED|UNSUPPORTED|INVALID_(CONFIG|REPLICATION_FACTOR|PARTITIONS)|POLICY_VIOLATION|MESSAGE_TOO_LARGE/;
const SASL = /SASL|KafkaJSSASLAuthenticationError/;
/** What to look at, by the words of what went wrong; first match. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    // What a listener does that expects something else, and a broker that ends.
    /^KafkaJSConnectionClosedError|before secure TLS connection/,
    '. If it never worked: does this listener speak TLS, does it ask for TLS or SASL?',
  ],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN/, '. Is EYRIE_KAFKA_BROKERS right, and do they run?'],
];

/** The protocol's name of what went wrong, under the library's layers; otherwise the class of the innermost error. */
export function errorType(error: unknown): string {
  const { type, code, name } = deepest(error);
  if (code === PRODUCER_FENCED) return 'PRODUCER_FENCED';
  return type ?? name;
}

/**
 * Our error for whatever the library threw; a broken call of our own (RangeError, TypeError) stays itself.
 * @param needs what the request asked leave for, so that a refusal names the ACL
 */
export function asAppError(error: unknown, needs?: Needs): Error {
  if (error instanceof AppError || error instanceof RangeError || error instanceof TypeError) return error;
  const type = errorType(error);
  const message = `${type}: ${messageOf(error)}`;
  if (FENCED.has(type) || type === 'PRODUCER_FENCED') return new AppError('EYRIE_FENCED', message, { cause: error });
  const { code, broker } = deepest(error);
  const refusal =
    describeMissingAcl(type, needs) ??
    (SASL.test(type) ? describeSasl(message) : undefined) ??
    (typeof code === 'string' ? describeTls(code) : undefined);
  if (refusal !== undefined) {
    const where = broker === undefined ? '' : ` ${broker}`;
    return new AppError('EYRIE_CONFIG_INVALID', `Kafka${where}: ${refusal}`, { cause: error });
  }
  if (REFUSED.test(type)) return new AppError('EYRIE_CONFIG_INVALID', `Kafka refused: ${message}`, { cause: error });
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1] ?? '';
  return new AppError('EYRIE_BUS_UNAVAILABLE', `Kafka: ${message}${hint}`, { retryable: true, cause: error });
}

export function closedError(): AppError {
  return new AppError('EYRIE_BUS_UNAVAILABLE', 'the bus is closed', { retryable: true });
}

/** Of several errors in one, that of the first. */
function messageOf(error: unknown): string {
  const { errors } = error as { readonly errors?: unknown };
  const one = Array.isArray(errors) ? errors[0] : error;
  return one instanceof Error ? one.message : String(one);
}

interface Found {
  type?: string;
  /** A number of the protocol, or a word of Node. */
  code?: unknown;
  /** `host:port`. */
  broker?: string;
  name: string;
}

function deepest(error: unknown): Found {
  const found: Found = { name: typeof error };
  let one: unknown = error;
  for (let depth = 0; depth < 5 && one instanceof Error; depth += 1) {
    const { type, code, broker, cause, errors, name } = one as Error & Partial<Record<keyof Found | 'errors', unknown>>;
    found.name = name;
    if (typeof type === 'string') found.type = type;
    if (code !== undefined) found.code = code;
    if (typeof broker === 'string') found.broker = broker;
    one = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return found;
}
