import { connect } from 'node:net';
import { AppError } from '../errors.ts';
import { unavailable } from './failures.ts';
import { decodeSqlReply, sqlSocketAddress } from './sql-socket.ts';
import type { QueryOptions, SelectResult } from './store.ts';

/** What the server may need beyond the statement's own time. */
const GRACE_MS = 5_000;

/**
 * Runs one SELECT in the process that owns the data directory.
 * @throws AppError EYRIE_STORE_UNAVAILABLE when none is running there, EYRIE_SQL_REFUSED, EYRIE_SQL_LIMIT, EYRIE_STORE_REJECTED
 */
export async function selectOverSocket(
  dataDir: string,
  sql: string,
  { timeoutMs = 10_000, maxRows = 1_000 }: QueryOptions = {},
): Promise<SelectResult> {
  const address = sqlSocketAddress(dataDir);
  try {
    return decodeSqlReply(
      await ask(address.path, `${JSON.stringify({ sql, timeoutMs, maxRows })}\n`, timeoutMs, dataDir),
    );
  } finally {
    address.release();
  }
}

function ask(path: string, request: string, timeoutMs: number, dataDir: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: string[] = [];
    const socket = connect(path);
    const timer = setTimeout(
      () => socket.destroy(new AppError('EYRIE_SQL_LIMIT', `no answer within ${timeoutMs + GRACE_MS} ms`)),
      timeoutMs + GRACE_MS,
    );
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk: string) => {
      parts.push(chunk);
      if (!chunk.endsWith('\n')) return;
      resolve(parts.join(''));
      socket.end();
    });
    socket.on('error', (error) => reject(error instanceof AppError ? error : notRunning(dataDir, error)));
    socket.on('close', () => {
      clearTimeout(timer);
      reject(unavailable('the connection ended before the answer'));
    });
  });
}

function notRunning(dataDir: string, cause: Error): AppError {
  return new AppError(
    'EYRIE_STORE_UNAVAILABLE',
    `no Eyrie answers in ${dataDir}: start it with \`eyrie up --data-dir ${dataDir}\``,
    { cause },
  );
}
