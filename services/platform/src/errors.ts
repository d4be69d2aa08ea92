/**
 * Every error code a person may meet, with what to do. `docs/reference/errors.md` is made from this table.
 * Codes are metric labels: a closed list.
 */
export const ERROR_CODES = {
  EYRIE_CONFIG_INVALID: 'A setting is missing or wrong. The message names every bad key and its allowed values.',
  EYRIE_DATA_DIR_LOCKED:
    'Another process owns the data directory; the message names it. Stop it or use another directory.',
  EYRIE_DATA_DIR_NEWER:
    'The data directory was written by a newer Eyrie. Run that version, or restore a backup into a new directory.',
  EYRIE_DATA_DIR_DAMAGED:
    'The data directory cannot be read. Restore a backup, or move it away and start with an empty one.',
  EYRIE_DISK_FULL:
    'No space is left for the log. Free space: intake answers 503 until then and nothing accepted is lost.',
  EYRIE_BUS_FULL:
    'The embedded log reached its byte bound while a reader is behind: start the reader, or remove its group. On Kafka more waits to be sent than may: look at the brokers, and repeat.',
  EYRIE_BUS_UNAVAILABLE: 'The log cannot be reached or was closed. The operation is repeated where that is safe.',
  EYRIE_FENCED: 'Another owner took over this partition; this one stops.',
  EYRIE_STORE_UNAVAILABLE: 'ClickHouse cannot be reached. Inserts are repeated with the same token.',
  EYRIE_STORE_REJECTED: 'ClickHouse refused the statement; the message holds its answer.',
  EYRIE_STORE_FORBIDDEN:
    'ClickHouse does not let the user in, or not do this. The message names server, user and the right that is missing.',
  EYRIE_STORE_MIGRATION: 'A migration in the database differs from the one in this version. The message names it.',
  EYRIE_STORE_NO_DEDUPLICATION:
    'The start-up self-test stored a token twice: insert tokens do not work on this server. Use a recent version (docs/operations.md).',
  EYRIE_SQL_REFUSED: 'Only one read-only SELECT over the database eyrie is allowed.',
  EYRIE_SQL_LIMIT: 'The query went over its bound of time, rows or memory. Narrow it.',
  EYRIE_HTTP_UNAUTHENTICATED: 'Send a token: Authorization: Bearer, X-Eyrie-Token, or HTTP Basic with any user.',
  EYRIE_HTTP_FORBIDDEN: 'The token lacks the scope, tenant or cluster for this request.',
  EYRIE_HTTP_NOT_FOUND: 'Nothing is there, or the token may not see it.',
  EYRIE_HTTP_BAD_REQUEST: 'The request is malformed; the message names the part.',
  EYRIE_HTTP_TIMEOUT: 'The request did not arrive in time.',
  EYRIE_HTTP_TOO_LARGE: 'The body is over its bound. Send smaller batches.',
  EYRIE_HTTP_UNSUPPORTED_TYPE: 'Send application/json or application/x-ndjson, plain, gzip or zstd.',
  EYRIE_HTTP_QUOTA: 'The hard disk share of the tenant is used up. Each refusal is counted as blind time.',
  EYRIE_HTTP_UNAVAILABLE: 'The outcome is unknown: repeat the whole request.',
  EYRIE_HTTP_CONFLICT: 'The document changed meanwhile. Read it again and repeat.',
  EYRIE_STREAM_SLOW: 'The stream was read too slowly and was cut. Connect again with Last-Event-ID: nothing is lost.',
  EYRIE_RULE_INVALID: 'A response rule cannot be used; the message names file, rule and field.',
  EYRIE_CONNECTION_INVALID: 'A connection is missing or wrong; the message names it.',
  EYRIE_ACTION_FAILED: 'The action failed; the ledger holds the answer.',
  EYRIE_SEND_FAILED: 'The gateway could not be reached or refused the events; run the same command again to go on.',
  EYRIE_API_UNREACHABLE: 'The API does not answer. Start `eyrie up`, or give --url and --token of a running one.',
  EYRIE_INPUT_UNREADABLE: 'A file cannot be read. The message names it.',
  EYRIE_USAGE: 'The command line is wrong; see --help.',
  EYRIE_PLATFORM_UNSUPPORTED:
    'The embedded ClickHouse engine has no build for this machine. Linux and macOS on x64 or arm64 work.',
  EYRIE_INTERNAL: 'A bug. The log holds the details; the input was not committed and is read again.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Broken surroundings or a refused request: code, what, and whether a repeat may help. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** Total: an unknown error is a bug, and not retryable. */
export function isRetryable(error: unknown): boolean {
  return error instanceof AppError && error.retryable;
}

/** What to print for any thrown thing: `CODE: message`. */
export function describeError(error: unknown): string {
  if (error instanceof AppError) return `${error.code}: ${error.message}`;
  return `EYRIE_INTERNAL: ${error instanceof Error ? error.message : String(error)}`;
}
