import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { AppError, describeError } from '@eyrie/platform/errors';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { decodeSqlRequest, encodeSqlReply, SQL_LIMITS, sqlSocketAddress } from '@eyrie/platform/store/sql-socket';
import type { Store } from '@eyrie/platform/store/store';

const MAX_CLIENTS = 8;
const IDLE_MS = 120_000;

/**
 * Answers SELECTs of `eyrie sql` on a unix socket in the data directory that only its owner may open: one JSON line in,
 * one out.
 */
export function createSqlSocket(
  { store, log, metrics }: { readonly store: Store; readonly log: Logger; readonly metrics: Metrics },
  { dataDir }: { readonly dataDir: string },
): Component {
  const clients = new Set<Socket>();
  let server: Server | undefined;
  let release = () => {};

  async function answer(line: string): Promise<string> {
    try {
      const { sql, timeoutMs, maxRows } = decodeSqlRequest(line);
      return encodeSqlReply({ result: await store.select(sql, { timeoutMs, maxRows }) });
    } catch (error) {
      if (error instanceof AppError) return encodeSqlReply({ error: { code: error.code, message: error.message } });
      log.error({ err: error }, 'SQL request failed');
      return encodeSqlReply({ error: { code: 'EYRIE_INTERNAL', message: describeError(error) } });
    }
  }

  function serve(socket: Socket): void {
    if (clients.size >= MAX_CLIENTS) {
      metrics.count('eyrie_bound_reached_total', { bound: 'sql_clients' });
      socket.end(
        encodeSqlReply({ error: { code: 'EYRIE_SQL_LIMIT', message: `${MAX_CLIENTS} clients are connected` } }),
      );
      return;
    }
    clients.add(socket);
    let text = '';
    let busy = false;
    socket.setEncoding('utf8');
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clients.delete(socket));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > SQL_LIMITS.requestBytes) {
        socket.end(encodeSqlReply({ error: { code: 'EYRIE_SQL_REFUSED', message: 'the request is too long' } }));
        return;
      }
      void next();
    });

    // One at a time: a client that writes ahead waits.
    async function next(): Promise<void> {
      const end = text.indexOf('\n');
      if (busy || end < 0) return;
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      busy = true;
      const reply = await answer(line);
      busy = false;
      if (socket.writable) socket.write(reply);
      await next();
    }
  }

  return {
    name: 'sql-socket',
    start: async () => {
      const address = sqlSocketAddress(dataDir);
      release = address.release;
      // The data directory's lock is ours: a socket left there belongs to a process that was killed.
      rmSync(address.path, { force: true });
      const listening = createServer(serve);
      server = listening;
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject);
        listening.listen(address.path, () => resolve());
      });
      chmodSync(address.path, 0o600);
    },
    stop: async () => {
      for (const socket of clients) socket.destroy();
      const closing = server;
      if (closing?.listening === true) await new Promise<void>((resolve) => closing.close(() => resolve()));
      release();
    },
  };
}
