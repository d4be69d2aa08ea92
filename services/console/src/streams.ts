import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { TenantId } from '@eyrie/schemas';
import type { AlertFeed, FedAlert } from './alert-feed.ts';
import { presentAlert } from './core/present.ts';
import { decodePosition, type StreamPosition } from './core/stream-position.ts';
import type { Audience } from './core/told.ts';
import { StreamClient } from './stream-client.ts';

/** The open streams of this process. */
export interface Streams {
  /** Where a stream begins; text says what is wrong with the given id. */
  startOf(lastEventId: string | undefined): Promise<StreamStart | string>;
  /** Whether one more client of the tenant is within the bounds. */
  hasRoom(tenant: TenantId): boolean;
  open(request: IncomingMessage, response: ServerResponse, start: StreamStart, audience: StreamAudience): void;
  /** Ends all streams; clients come back with their last id. */
  stop(): void;
}

interface StreamStart extends StreamPosition {
  /** Records asked for that the log no longer holds. */
  readonly gap: boolean;
}

interface StreamAudience extends Audience {
  /** Whether the token is still good; asked at every heartbeat. */
  readonly mayStay: () => boolean;
}

const STREAM_LIMITS = { clients: 1_000, perTenant: 200, heartbeatMs: 15_000 } as const;

interface Dependencies {
  readonly bus: Bus;
  readonly feed: AlertFeed;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly mask: (text: string) => string;
}

export function createStreams(deps: Dependencies, limits = STREAM_LIMITS): Streams {
  const { bus, feed, metrics } = deps;
  const clients = new Map<StreamClient, { tenant: TenantId; cut: (code?: string, message?: string) => void }>();
  // One version goes to many clients: it is written as text once.
  let described: { readonly fed: FedAlert; readonly text: string } | undefined;

  function describe(fed: FedAlert): string {
    if (described?.fed !== fed) described = { fed, text: JSON.stringify(presentAlert(fed.alert, deps.mask)) };
    return described.text;
  }

  async function startOf(lastEventId: string | undefined): Promise<StreamStart | string> {
    const log = bus.logIdentity('alerts', 0);
    const here = Array.from({ length: feed.partitions }, (_, partition) => feed.next(partition));
    if (lastEventId === undefined) return { log, next: here, gap: false };
    const asked = decodePosition(lastEventId);
    if (asked === undefined) return 'Last-Event-ID: is no id of this stream';
    // Another log (restored, or moved): what was missed cannot be told apart from what was seen.
    if (asked.log !== log || asked.next.length !== here.length) return { log, next: here, gap: true };
    let gap = false;
    const next: number[] = [];
    for (const [partition, wanted] of asked.next.entries()) {
      const { start, end } = await bus.bounds('alerts', partition);
      if (wanted > end) return 'Last-Event-ID: lies beyond the end of the log';
      gap ||= wanted < start;
      next.push(Math.max(wanted, start));
    }
    return { log, next, gap };
  }

  function open(
    request: IncomingMessage,
    response: ServerResponse,
    start: StreamStart,
    audience: StreamAudience,
  ): void {
    const end = (code?: string, message?: string) => {
      client.close();
      if (code !== undefined) response.write(`event: cut\ndata: ${JSON.stringify({ code, message })}\n\n`);
      response.end();
    };
    const client = new StreamClient(
      {
        bus,
        feed,
        read: deps,
        describe,
        onSlow: () => {
          metrics.count('eyrie_bound_reached_total', { bound: 'stream_pending_bytes' });
          end('EYRIE_STREAM_SLOW', 'the stream was read too slowly; connect again with Last-Event-ID');
          // What is pending will not be read either: free it.
          response.destroy();
        },
      },
      {
        write: (text) => writeNow(response, text),
        get pendingBytes() {
          return response.writableLength;
        },
      },
      audience,
      start,
    );
    clients.set(client, { tenant: audience.tenant, cut: end });
    metrics.set('eyrie_stream_clients', {}, clients.size);
    const heartbeat = setInterval(() => {
      if (audience.mayStay()) client.heartbeat();
      else end('EYRIE_HTTP_UNAUTHENTICATED', 'the token is no longer valid');
    }, limits.heartbeatMs);
    const closed = () => {
      clearInterval(heartbeat);
      client.close();
      clients.delete(client);
      metrics.set('eyrie_stream_clients', {}, clients.size);
    };
    response.on('close', closed);
    request.socket.setNoDelay(true);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    if (start.gap) {
      response.write('event: gap\ndata: {"message":"the log no longer holds what was missed; list the alerts"}\n\n');
    }
    client.heartbeat();
    client.run().catch((error: unknown) => {
      deps.log.error({ err: error }, 'stream failed');
      end('EYRIE_HTTP_UNAVAILABLE', 'connect again with Last-Event-ID');
    });
  }

  return {
    startOf,
    hasRoom: (tenant) => {
      const own = [...clients.values()].filter((client) => client.tenant === tenant).length;
      const room = clients.size < limits.clients && own < limits.perTenant;
      if (!room) metrics.count('eyrie_bound_reached_total', { bound: 'stream_clients' });
      return room;
    },
    open,
    stop: () => {
      for (const { cut } of clients.values()) cut();
    },
  };
}

/**
 * Left alone, Node sends what is written once all promises have settled: after the steps of every other role that the
 * same commit woke. Here an alert is on its way when this returns.
 */
function writeNow(response: ServerResponse, text: string): void {
  const { socket } = response;
  socket?.cork();
  response.write(text);
  socket?.uncork();
}
