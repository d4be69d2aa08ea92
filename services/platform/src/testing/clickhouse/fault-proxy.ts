import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { freePort } from '../free-port.ts';

/** What befalls one request on its way. */
export type Fault =
  /** It is carried out, and the connection breaks before the answer. */
  | 'answer-lost'
  /** It is carried out, and no answer ever comes. */
  | 'answer-held'
  /** It reaches the server only when `release` is called, whoever still waits. */
  | 'request-held'
  /** The connection breaks in the middle of the body, on both sides. */
  | 'body-cut'
  /** Somebody in between says 503. */
  | 'unavailable';

export interface Seen {
  readonly user: string;
  readonly parameters: URLSearchParams;
}

/** A way to a server on which things happen; its address stays when the server moves. */
export interface FaultProxy {
  readonly url: string;
  /** What the next requests meet, one each. */
  meet(...faults: readonly Fault[]): void;
  /** Lets held requests go on; resolves when the server has answered them. */
  release(): Promise<void>;
  /** Resolves when the server has answered all that reached it. */
  settled(): Promise<void>;
  /** Breaks every connection. */
  cut(): void;
  /** Nobody listens any more. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Requests so far, and how many connections brought them. */
  readonly seen: Seen[];
  connections(): number;
}

export async function startFaultProxy(upstream: () => string, tls?: ServerOptions): Promise<FaultProxy> {
  const faults: Fault[] = [];
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let held: (() => Promise<void>)[] = [];
  const forwarded = new Set<Promise<unknown>>();
  const listener = (incoming: IncomingMessage, response: ServerResponse) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  };
  const limits = { maxHeaderSize: 1024 * 1024 };
  const server = tls === undefined ? createServer(limits, listener) : createTlsServer({ ...tls, ...limits }, listener);
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await freePort();

  const up = () =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = faults.shift();
    const path = incoming.url ?? '/';
    const name = incoming.headers['x-clickhouse-user'];
    const basic = Buffer.from((incoming.headers.authorization ?? '').slice('Basic '.length), 'base64').toString('utf8');
    const user = typeof name === 'string' ? name : (basic.split(':')[0] ?? '');
    seen.push({ user, parameters: new URL(path, 'http://proxy').searchParams });
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (fault === 'unavailable') return void response.writeHead(503).end('<html>try later</html>');
    const pass = () => {
      const half = body.subarray(0, body.length / 2);
      const answer = forward(incoming, path, fault === 'body-cut' ? half : body, fault);
      forwarded.add(answer);
      const forget = () => forwarded.delete(answer);
      answer.then(forget, forget);
      return answer;
    };
    if (fault === 'request-held') return void held.push(async () => void (await pass()));
    const answer = await pass();
    if (fault === 'answer-held') return;
    if (fault === 'answer-lost' || answer === undefined) return void incoming.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.text);
  }

  function forward(incoming: IncomingMessage, path: string, body: Buffer, fault: Fault | undefined) {
    return new Promise<{ status: number; headers: Record<string, string>; text: Buffer } | undefined>(
      (resolve, reject) => {
        const { host: _, connection: __, ...headers } = incoming.headers;
        const outgoing = request(new URL(path, upstream()), {
          method: incoming.method ?? 'POST',
          headers,
          agent: false,
        });
        outgoing.once('error', (error) => (fault === 'body-cut' ? resolve(undefined) : reject(error)));
        outgoing.once('response', async (answer) => {
          const parts: Buffer[] = [];
          for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
          const code = answer.headers['x-clickhouse-exception-code'];
          resolve({
            status: answer.statusCode ?? 0,
            headers: code === undefined ? {} : { 'X-ClickHouse-Exception-Code': String(code) },
            text: Buffer.concat(parts),
          });
        });
        if (fault !== 'body-cut') outgoing.end(body);
        else outgoing.write(body, () => setTimeout(() => outgoing.destroy(new Error('cut')), 50));
      },
    );
  }

  await up();
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    meet: (...next) => void faults.push(...next),
    release: async () => {
      const waiting = held;
      held = [];
      for (const go of waiting) await go();
    },
    settled: async () => void (await Promise.allSettled(forwarded)),
    cut,
    down: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
    up,
    seen,
    connections: () => connections,
  };
}
