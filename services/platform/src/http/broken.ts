import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors.ts';
import { envelope } from './answer.ts';

/** A connection whose bytes never became a request. */
export interface BrokenRequest {
  readonly socket: Socket;
  readonly peer: string;
  readonly status: number;
  readonly code: ErrorCode;
}

/** Answers what the HTTP parser refused, and closes. The packet itself goes nowhere: it may hold a token. */
export function answerBrokenRequest(
  error: NodeJS.ErrnoException,
  socket: Socket,
  requestId: string,
): BrokenRequest | undefined {
  const peer = socket.remoteAddress ?? 'unknown';
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const answer = describe(error.code);
  const body = envelope(answer, requestId);
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\nconnection: close\r\n` +
      `content-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return { socket, peer, status: answer.status, code: answer.code };
}

function describe(code: string | undefined): { status: number; code: ErrorCode; message: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, code: 'EYRIE_HTTP_TIMEOUT', message: 'the request did not arrive in time' };
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, code: 'EYRIE_HTTP_BAD_REQUEST', message: 'the headers are over their bound' };
  }
  return { status: 400, code: 'EYRIE_HTTP_BAD_REQUEST', message: 'the request is not valid HTTP' };
}
