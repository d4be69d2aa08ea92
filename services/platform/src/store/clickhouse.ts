import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { EngineFailure, Session } from './session.ts';

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

/**
 * A session over the official client; the only file that imports it. The connection is chDB's, which is written for
 * this client but typed by its own copy of the contract.
 */
export function openSession(connection: object): Session {
  const client = createClient({ connection: connection as Connection });
  return {
    run: async (sql, { format, params, settings } = {}) => {
      const common = {
        query: sql,
        ...(params === undefined ? {} : { query_params: { ...params } }),
        ...(settings === undefined ? {} : { clickhouse_settings: { ...settings } }),
      };
      if (format === undefined) {
        await client.command(common);
        return '';
      }
      if (format === 'default') {
        const { stream } = await client.exec({ ...common, clickhouse_settings: { default_format: 'JSONCompact' } });
        return text(stream);
      }
      const result = await client.query({ ...common, format });
      return result.text();
    },
    close: () => client.close(),
  };
}

/** Total: anything thrown by a session as plain data. */
export function failureOf(error: unknown): EngineFailure {
  const message = error instanceof Error ? error.message : String(error);
  // Read from the property: chDB brings errors of its own copy of the class.
  const code = error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN;
  return { code: Number.isFinite(code) ? code : 0, message: message.slice(0, 2_000) };
}

export interface ServerOptions {
  readonly url: URL;
  readonly user: string;
  readonly password: string;
  readonly tls?: ServerTls;
  /** Sockets at most. */
  readonly connections: number;
}

/** PEM. With a certificate and no password, the certificate stands for the user. */
export interface ServerTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface ServerRequest {
  readonly sql: string;
  /** Rows of an insert: the body, and the statement goes in the URL. */
  readonly rows?: Buffer;
  readonly params?: Readonly<Record<string, unknown>>;
  /** Also the interface's own parameters (`default_format`, `database`). */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Milliseconds until the request is given up, whatever the server does. */
  readonly deadlineMs: number;
}

export interface ServerAnswer {
  readonly status: number;
  /** ClickHouse's number, 0 for a result or the words of somebody in between. */
  readonly exception: number;
  readonly text: string;
}

export interface ServerConnection {
  /** @throws what the connection met on the way (`code` as Node names it); ETIMEDOUT at the deadline */
  send(request: ServerRequest): Promise<ServerAnswer>;
  close(): Promise<void>;
}

/** Servers close idle sockets after 3 seconds (before 23.11) or 30: ours go first, so that no request meets a closed one. */
const IDLE_MS = 2_500;
/** Nothing of the client's own ends a request: the deadline does. */
const NEVER_MS = 2 ** 31 - 1;

/** Requests to a ClickHouse server over HTTP(S); answers come as they are, errors of the server too. */
export function connectServer({ url, user, password, tls, connections }: ServerOptions): ServerConnection {
  const isByCertificate = tls?.cert !== undefined && password === '';
  const agent = tls && new Agent({ ...tls, keepAlive: true, maxSockets: connections });
  const client = createClient({
    url,
    username: user,
    password,
    application: 'eyrie',
    max_open_connections: connections,
    request_timeout: NEVER_MS,
    keep_alive: { idle_socket_ttl: IDLE_MS, eagerly_destroy_stale_sockets: true },
    // What goes wrong is thrown; the client's own log would hold statements.
    log: { level: ClickHouseLogLevel.OFF },
    ...(agent === undefined ? {} : { http_agent: agent }),
    ...(isByCertificate && {
      set_basic_auth_header: false,
      http_headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-SSL-Certificate-Auth': 'on' },
    }),
  });
  return {
    send: async ({ sql, rows, params, settings, deadlineMs }) => {
      const giveUp = new AbortController();
      let body: Readable | undefined;
      const timer = setTimeout(() => {
        giveUp.abort();
        body?.destroy(new Error('deadline'));
      }, deadlineMs);
      try {
        const { stream, response_headers, http_status_code } = await client.exec({
          query: sql,
          ...(rows === undefined ? {} : { values: Readable.from([rows], { objectMode: false }) }),
          ...(params === undefined ? {} : { query_params: { ...params } }),
          clickhouse_settings: { ...settings },
          abort_signal: giveUp.signal,
          ignore_error_response: true,
        });
        body = stream;
        return {
          status: http_status_code ?? 0,
          exception: Number(response_headers?.['x-clickhouse-exception-code'] ?? 0),
          text: await text(stream),
        };
      } catch (error) {
        if (!giveUp.signal.aborted) throw error;
        throw Object.assign(new Error(`no answer within ${deadlineMs} ms`), { code: 'ETIMEDOUT' });
      } finally {
        clearTimeout(timer);
      }
    },
    close: async () => {
      await client.close();
      agent?.destroy();
    },
  };
}
