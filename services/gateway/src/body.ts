import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { constants, gunzip, zstdDecompress } from 'node:zlib';
import { AppError, type ErrorCode } from '@eyrie/platform/errors';
import type { Budget } from './budget.ts';
import type { BodyCoding } from './core/media.ts';

export interface BodyLimits {
  /** Bytes of a body, compressed and not. */
  readonly bodyBytes: number;
  /** A body may grow to this many times its compressed size … */
  readonly expansion: number;
}

/** … and always to this many bytes: small bodies of equal events compress very well. */
const EXPANSION_FLOOR_BYTES = 1024 * 1024;
/** Bodies unpacked at the same time: as many as there are threads for it. The rest waits in its packed form. */
const UNPACKING = 4;
const NEWLINE = 10;
/** Packed with a larger window a body of a few bytes could demand hundreds of MiB: 8 MiB, as RFC 8878 recommends. */
const ZSTD_WINDOW_LOG = 23;

/** A body in memory, ended by a newline. `release` gives its bytes back to the budget; to be called exactly once. */
export interface Body {
  readonly bytes: Buffer;
  /** Without a newline that was added. */
  readonly size: number;
  release(): void;
}

/** Sockets a body is read from, and why the HTTP server gave up on one of them. */
const reading = new WeakMap<Socket, ErrorCode | undefined>();

/** True when a body was being read: its reader then fails with this code, and counts it. */
export function noteCutOff(socket: Socket, code: ErrorCode): boolean {
  if (!reading.has(socket)) return false;
  reading.set(socket, code);
  return true;
}

/**
 * Reads a whole body within its bounds; the bytes count against the budget as they arrive.
 * @throws AppError EYRIE_HTTP_TOO_LARGE, EYRIE_HTTP_UNAVAILABLE (budget), EYRIE_HTTP_BAD_REQUEST or EYRIE_HTTP_TIMEOUT (cut off)
 */
export function readBody(request: IncomingMessage, budget: Budget, maximum: number): Promise<Body> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let total = 0;
    let done = false;
    const { socket } = request;
    reading.set(socket, undefined);
    const release = () => budget.give(total);
    const fail = (error: AppError) => {
      if (done) return;
      done = true;
      reading.delete(socket);
      release();
      chunks.length = 0;
      // What still comes is thrown away as it arrives, so that the sender gets to read the answer.
      request.removeAllListeners('data');
      request.resume();
      reject(error);
    };
    if (Number(request.headers['content-length'] ?? 0) > maximum) {
      fail(tooLarge(maximum));
      return;
    }
    request.on('data', (chunk: Buffer) => {
      if (total + chunk.length > maximum) {
        fail(tooLarge(maximum));
      } else if (!budget.take(chunk.length)) {
        fail(new AppError('EYRIE_HTTP_UNAVAILABLE', 'too many bytes in flight', { retryable: true }));
      } else {
        total += chunk.length;
        chunks.push(chunk);
      }
    });
    request.on('end', () => {
      if (done) return;
      done = true;
      reading.delete(socket);
      resolve({ bytes: joined(chunks, total), size: total, release });
    });
    const cutOff = () => {
      // Also the end of every whole request passes here, and an error is dear to make.
      if (!done) fail(new AppError(reading.get(socket) ?? 'EYRIE_HTTP_BAD_REQUEST', 'the body did not arrive whole'));
    };
    request.on('error', cutOff);
    request.on('close', cutOff);
  });
}

/** Unpacks within bounds of size and ratio. @throws AppError EYRIE_HTTP_TOO_LARGE, EYRIE_HTTP_BAD_REQUEST */
export function createUnpack(limits: BodyLimits, budget: Budget) {
  const waiting: (() => void)[] = [];
  let running = 0;
  const start = async () => {
    if (running < UNPACKING) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const end = () => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };

  return async (packed: Body, coding: BodyCoding): Promise<Body> => {
    if (coding === 'plain') return packed;
    const ratioBytes = Math.max(EXPANSION_FLOOR_BYTES, packed.size * limits.expansion);
    const maxOutputLength = Math.min(limits.bodyBytes, ratioBytes);
    await start();
    try {
      const input = packed.bytes.subarray(0, packed.size);
      const plain =
        coding === 'gzip'
          ? await unpackGzip(input, { maxOutputLength })
          : await unpackZstd(input, {
              maxOutputLength,
              params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG },
            });
      // Over the budget now or not: the bytes are here. New bodies wait until they are gone.
      budget.force(plain.length);
      return { bytes: joined([plain], plain.length), size: plain.length, release: () => budget.give(plain.length) };
    } catch (error) {
      throw isCode(error, 'ERR_BUFFER_TOO_LARGE')
        ? tooLarge(maxOutputLength)
        : new AppError('EYRIE_HTTP_BAD_REQUEST', `the body is not ${coding}`, { cause: error });
    } finally {
      end();
      packed.release();
    }
  };
}

const unpackGzip = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);
const unpackZstd = promisify<Buffer, { maxOutputLength: number; params: Record<number, number> }, Buffer>(
  zstdDecompress,
);

/** One buffer that ends with a newline. */
function joined(chunks: readonly Buffer[], total: number): Buffer {
  const last = chunks.at(-1);
  const isEnded = last !== undefined && last[last.length - 1] === NEWLINE;
  if (isEnded && chunks.length === 1) return last;
  // From the pool where it is one event: memory of its own costs more than the copy.
  const bytes = Buffer.allocUnsafe(isEnded ? total : total + 1);
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(bytes, at);
  if (!isEnded) bytes[at] = NEWLINE;
  return bytes;
}

function tooLarge(maximum: number): AppError {
  return new AppError('EYRIE_HTTP_TOO_LARGE', `the body is over its bound of ${maximum} bytes`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
