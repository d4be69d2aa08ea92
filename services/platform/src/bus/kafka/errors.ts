import { AppError } from '../../errors.ts';

/** What the coordinator says to an owner whose partition has another one: its epoch, or its transaction, is over. */
const FENCED = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_TXN_STATE']);
/** The library knows no name for it. */
const PRODUCER_FENCED = 90;
const REFUSED = /AUTHORIZATION_FAILED|AUTHENTICATION|SASL|UNSUPPORTED|INVALID_CONFIG|MESSAGE_TOO_LARGE/;

/** The protocol's name of what went wrong, under the library's layers; otherwise the class of the error. */
export function errorType(error: unknown): string {
  const { type, code } = deepest(error);
  if (code === PRODUCER_FENCED) return 'PRODUCER_FENCED';
  return type ?? (error instanceof Error ? error.name : typeof error);
}

/** @returns our error for whatever the library threw; a broken call of our own (RangeError, TypeError) stays itself */
export function asAppError(error: unknown): Error {
  if (error instanceof AppError || error instanceof RangeError || error instanceof TypeError) return error;
  const type = errorType(error);
  const message = `${type}: ${error instanceof Error ? error.message : String(error)}`;
  if (FENCED.has(type) || type === 'PRODUCER_FENCED') return new AppError('EYRIE_FENCED', message, { cause: error });
  if (REFUSED.test(type)) return new AppError('EYRIE_CONFIG_INVALID', `Kafka refused: ${message}`, { cause: error });
  return new AppError('EYRIE_BUS_UNAVAILABLE', `Kafka: ${message}`, { retryable: true, cause: error });
}

export function closedError(): AppError {
  return new AppError('EYRIE_BUS_UNAVAILABLE', 'the bus is closed', { retryable: true });
}

function deepest(error: unknown): { readonly type?: string; readonly code?: unknown } {
  let found: { type?: string; code?: unknown } = {};
  let one: unknown = error;
  for (let depth = 0; depth < 5 && one instanceof Error; depth += 1) {
    const { type, code } = one as { type?: unknown; code?: unknown };
    if (typeof type === 'string') found = { type, code };
    one = one.cause;
  }
  return found;
}
