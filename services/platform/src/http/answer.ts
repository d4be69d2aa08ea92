import { AppError, ERROR_CODES, type ErrorCode } from '../errors.ts';

/** HTTP status of the codes a request can end with; everything else is a bug and answers 500. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  EYRIE_HTTP_BAD_REQUEST: 400,
  EYRIE_SQL_REFUSED: 400,
  EYRIE_RULE_INVALID: 400,
  EYRIE_HTTP_UNAUTHENTICATED: 401,
  EYRIE_HTTP_FORBIDDEN: 403,
  EYRIE_HTTP_NOT_FOUND: 404,
  EYRIE_HTTP_TIMEOUT: 408,
  EYRIE_HTTP_CONFLICT: 409,
  EYRIE_HTTP_TOO_LARGE: 413,
  EYRIE_HTTP_UNSUPPORTED_TYPE: 415,
  EYRIE_SQL_LIMIT: 422,
  EYRIE_HTTP_QUOTA: 429,
  EYRIE_DISK_FULL: 503,
  EYRIE_BUS_FULL: 503,
  EYRIE_BUS_UNAVAILABLE: 503,
  EYRIE_STORE_UNAVAILABLE: 503,
  EYRIE_FENCED: 503,
  EYRIE_HTTP_UNAVAILABLE: 503,
};

export interface ErrorAnswer {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a caller may know of an error: below 500 its own words, from 500 on only the meaning of the code. */
export function answerOf(error: unknown): ErrorAnswer {
  const known = error instanceof AppError ? error : fromFramework(error);
  const status = known === undefined ? 500 : (STATUS[known.code] ?? 500);
  if (known === undefined || status === 500) {
    return { status: 500, code: 'EYRIE_INTERNAL', message: ERROR_CODES.EYRIE_INTERNAL };
  }
  return { status, code: known.code, message: status >= 500 ? ERROR_CODES[known.code] : known.message };
}

export function envelope({ code, message }: Omit<ErrorAnswer, 'status'>, requestId: string): string {
  return JSON.stringify({ error: { code, message, requestId } });
}

interface FrameworkError {
  readonly statusCode?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly validation?: readonly { readonly instancePath?: string; readonly message?: string }[];
  readonly validationContext?: string;
}

/** Fastify marks what the caller did wrong with a status below 500. Its texts name no secret and no inner part. */
function fromFramework(error: unknown): AppError | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { statusCode, message, validation, validationContext } = error as FrameworkError;
  if (validation !== undefined) {
    const problems = validation.map((v) => `${v.instancePath || '/'}: ${v.message ?? 'is wrong'}`).join('; ');
    return new AppError('EYRIE_HTTP_BAD_REQUEST', `${validationContext ?? 'request'}: ${problems}`);
  }
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return undefined;
  const code = BY_STATUS[statusCode] ?? 'EYRIE_HTTP_BAD_REQUEST';
  return new AppError(code, typeof message === 'string' ? message : ERROR_CODES[code]);
}

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'EYRIE_HTTP_NOT_FOUND',
  408: 'EYRIE_HTTP_TIMEOUT',
  413: 'EYRIE_HTTP_TOO_LARGE',
  415: 'EYRIE_HTTP_UNSUPPORTED_TYPE',
};
