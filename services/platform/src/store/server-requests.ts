import type { Metrics } from '../metrics.ts';
import { connectServer, type ServerAnswer, type ServerOptions, type ServerRequest } from './clickhouse.ts';
import {
  connectionCode,
  failureIn,
  toDenied,
  toServerError,
  toUnreachable,
  type Whereabouts,
} from './server-errors.ts';
import { createGate } from './server-gate.ts';
import type { Session } from './session.ts';

/** Requests of one user to one server: bounded in number and time, with errors that say where. */
export interface Requests {
  /** @returns the text of the answer. @throws AppError */
  send(request: ServerRequest): Promise<string>;
  /** For what changes nothing: repeated once where the connection was cut. @throws AppError */
  read(request: ServerRequest): Promise<string>;
  /**
   * Statements under the same settings, each with the same deadline. What the server refuses is thrown with its number
   * as `code`; @throws AppError where it is out of reach or does not let the user in
   */
  session(settings: ServerRequest['settings'], deadlineMs: number): Session;
  close(): Promise<void>;
}

export interface RequestsOptions extends Omit<ServerOptions, 'connections'> {
  /** Requests in flight at most; others wait. */
  readonly atOnce: number;
  readonly at: Whereabouts;
  readonly metrics: Metrics;
}

const WAITING = 1_000;
const CUT = new Set(['ECONNRESET', 'EPIPE']);

class Refused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export function createRequests({ atOnce, at, metrics, ...server }: RequestsOptions): Requests {
  const connection = connectServer({ ...server, connections: atOnce });
  const gate = createGate(metrics, { atOnce, waiting: WAITING });
  const ask = (request: ServerRequest) => gate.run(() => connection.send(request));

  /** A socket the server closed while idle shows only now. */
  async function askTwice(request: ServerRequest): Promise<ServerAnswer> {
    try {
      return await ask(request);
    } catch (error) {
      if (!CUT.has(connectionCode(error))) throw error;
      return ask(request);
    }
  }

  async function resultOf(asked: Promise<ServerAnswer>): Promise<string> {
    const answer = await asked.catch((error: unknown) => Promise.reject(toUnreachable(at, error)));
    const failure = failureIn(answer);
    if (failure !== undefined) throw toServerError(at, answer, failure);
    return answer.text;
  }

  return {
    send: (request) => resultOf(ask(request)),
    read: (request) => resultOf(askTwice(request)),
    session: (settings, deadlineMs) => ({
      run: async (sql, { params } = {}) => {
        const asked = askTwice({ sql, settings, deadlineMs, ...(params === undefined ? {} : { params }) });
        const answer = await asked.catch((error: unknown) => Promise.reject(toUnreachable(at, error)));
        const failure = failureIn(answer);
        if (failure === undefined) return answer.text;
        if (failure.code === 0) throw toServerError(at, answer, failure);
        throw toDenied(at, failure) ?? new Refused(failure.code, failure.message);
      },
      close: async () => undefined,
    }),
    close: async () => {
      await gate.close();
      await connection.close();
    },
  };
}
