import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError, ERROR_CODES, type ErrorCode } from '../errors.ts';
import type { SelectResult } from './store.ts';

/** One request and one reply a line, JSON. */
export interface SqlRequest {
  readonly sql: string;
  readonly timeoutMs: number;
  readonly maxRows: number;
}

export type SqlReply =
  | { readonly result: SelectResult }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

export const SQL_LIMITS = {
  requestBytes: 256 * 1024,
  timeoutMs: 300_000,
  maxRows: 1_000_000,
} as const;

/** Linux takes 107 bytes of path, macOS 103; a longer one is reached through a short link. */
const MAX_PATH_BYTES = 100;
const NAME = 'sql.sock';

/** Where the socket of a data directory is bound or reached. `release` removes what was made to shorten the path. */
export function sqlSocketAddress(dataDir: string): { readonly path: string; release(): void } {
  const path = join(resolve(dataDir), NAME);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, release: () => {} };
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-'));
  const link = join(directory, 'd');
  symlinkSync(resolve(dataDir), link);
  return { path: join(link, NAME), release: () => rmSync(directory, { recursive: true, force: true }) };
}

/** @throws AppError EYRIE_SQL_REFUSED */
export function decodeSqlRequest(line: string): SqlRequest {
  const fail = (what: string) => new AppError('EYRIE_SQL_REFUSED', `malformed request: ${what}`);
  let value: Partial<Record<keyof SqlRequest, unknown>>;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    throw fail('not JSON');
  }
  if (typeof value?.sql !== 'string') throw fail('sql must be text');
  return {
    sql: value.sql,
    timeoutMs: bounded('timeoutMs', value.timeoutMs ?? 10_000, SQL_LIMITS.timeoutMs),
    maxRows: bounded('maxRows', value.maxRows ?? 1_000, SQL_LIMITS.maxRows),
  };

  function bounded(name: string, given: unknown, maximum: number): number {
    if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= maximum) return given;
    throw fail(`${name} must be a whole number from 1 to ${maximum}`);
  }
}

export function encodeSqlReply(reply: SqlReply): string {
  return `${JSON.stringify(reply)}\n`;
}

/** @throws AppError with the code of the reply, EYRIE_STORE_UNAVAILABLE for a reply that is none */
export function decodeSqlReply(line: string): SelectResult {
  const reply = JSON.parse(line) as SqlReply;
  if ('result' in reply) return reply.result;
  const { code, message } = reply.error;
  throw new AppError(code in ERROR_CODES ? code : 'EYRIE_INTERNAL', message);
}
