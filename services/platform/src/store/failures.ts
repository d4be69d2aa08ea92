import { AppError } from '../errors.ts';
import type { EngineFailure } from './session.ts';

/** A fault of the moment, not of the statement: disk, memory, connection, replicas, load. The same token may be repeated. */
const PASSING = new Set([
  74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
  75, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  76, // CANNOT_OPEN_FILE
  159, // TIMEOUT_EXCEEDED
  198, // DNS_ERROR
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  241, // MEMORY_LIMIT_EXCEEDED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS
  254, // NO_ACTIVE_REPLICAS
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  425, // SYSTEM_ERROR
  439, // CANNOT_SCHEDULE_TASK
  473, // DEADLOCK_AVOIDED
  733, // TABLE_IS_BEING_RESTARTED
  745, // SERVER_OVERLOADED
  999, // KEEPER_EXCEPTION
]);

/** True for words of the engine that name a fault no waiting mends: what it found in its directory. */
export function isLasting(words: string): boolean {
  const code = /^Code: (\d+)\./m.exec(words)?.[1];
  return code !== undefined && !PASSING.has(Number(code));
}

/** Bounds of time, rows, memory and size of an untrusted query. */
const LIMIT = new Set([158, 159, 160, 167, 168, 241, 290, 306, 307, 394, 396]);
/** READONLY, ACCESS_DENIED, SETTING_CONSTRAINT_VIOLATION, FUNCTION_NOT_ALLOWED. */
const REFUSED = new Set([164, 497, 452, 446]);

/** UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED. */
const NO_ENTRY = new Set([192, 193, 194, 516]);
/** READONLY, ACCESS_DENIED, SETTING_CONSTRAINT_VIOLATION. */
const NO_RIGHT = new Set([164, 497, 452]);

/** Whether a server does not let the user in, or not do this. */
export function isDenied({ code }: EngineFailure): 'entry' | 'right' | undefined {
  if (NO_ENTRY.has(code)) return 'entry';
  return NO_RIGHT.has(code) ? 'right' : undefined;
}

/** The engine's stack of wrappers and version tail say nothing to a reader. */
export function textOf({ message }: EngineFailure): string {
  return message.replace(/^(Code: \d+\. )?(DB::Exception: )+/, '').replace(/ \(version [^)]*\)/g, '');
}

export function unavailable(message: string, cause?: unknown): AppError {
  return new AppError('EYRIE_STORE_UNAVAILABLE', message, { retryable: true, cause });
}

/** For statements of ours. */
export function toStoreError(failure: EngineFailure): AppError {
  if (PASSING.has(failure.code)) return unavailable(textOf(failure));
  return new AppError('EYRIE_STORE_REJECTED', textOf(failure));
}

/** For statements of others. */
export function toSelectError(failure: EngineFailure): AppError {
  if (LIMIT.has(failure.code)) return new AppError('EYRIE_SQL_LIMIT', textOf(failure));
  if (REFUSED.has(failure.code)) return new AppError('EYRIE_SQL_REFUSED', textOf(failure));
  return new AppError('EYRIE_STORE_REJECTED', textOf(failure));
}
