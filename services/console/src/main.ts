import type { Bus } from '@eyrie/platform/bus/bus';
import type { TlsFiles } from '@eyrie/platform/http/listener';
import { createHttpServer, type HttpServer } from '@eyrie/platform/http/server';
import type { Component } from '@eyrie/platform/lifecycle';
import { type AlertFeed, createAlertFeed } from './alert-feed.ts';
import type { ConsoleDependencies, Context } from './context.ts';
import { gateQueries } from './query-gate.ts';
import { archiverPositions, createRecentAlerts, type RecentAlerts } from './recent-alerts.ts';
import { addRoutes } from './routes/index.ts';
import { createStreams, type Streams } from './streams.ts';

export type { ConsoleDependencies, Explain, RuleExplanation } from './context.ts';

export interface ConsoleOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly tls?: TlsFiles;
  /** Other parts that must work before requests may come. */
  readonly isReady?: () => Readonly<Record<string, boolean>>;
}

export interface Console extends Component {
  /** `http://127.0.0.1:2802`, once started. */
  readonly address: string;
}

/** Records before the archiver's position that are read again at start: rows of a step that was just being written. */
const LOOK_BACK = 1_000;

/** The API: alerts and their triage, events, why, documents, actions, metrics, the stream. */
export function createConsole(deps: ConsoleDependencies, options: ConsoleOptions): Console {
  let server: HttpServer | undefined;
  let feed: AlertFeed | undefined;
  let recent: RecentAlerts | undefined;
  let streams: Streams | undefined;
  let isCaughtUp = false;

  return {
    name: 'console',
    get address() {
      return server?.address ?? '';
    },
    start: async () => {
      const { bus, documents } = deps;
      feed = createAlertFeed(deps, await startsOf(bus));
      recent = createRecentAlerts({ ...deps, feed });
      streams = createStreams({ ...deps, feed });
      void feed.ready.then(() => {
        isCaughtUp = true;
      });
      await documents.ready();
      const context: Context = { ...deps, store: gateQueries(deps.store, deps.metrics), recent, streams };
      server = await createHttpServer({
        name: 'Eyrie API',
        ...options,
        ...deps,
        ready: () => ({ ...options.isReady?.(), alerts: isCaughtUp }),
      });
      addRoutes(server.app, context);
      await server.listen();
    },
    stop: async () => {
      streams?.stop();
      await server?.close();
      recent?.stop();
      await feed?.stop();
    },
  };
}

/** From a little before what the archiver has written, so that nothing lies in neither place. */
async function startsOf(bus: Bus): Promise<{ from: number; end: number }[]> {
  const archived = await archiverPositions(bus);
  const starts = [];
  for (let partition = 0; partition < bus.partitions('alerts'); partition += 1) {
    const { start, end } = await bus.bounds('alerts', partition);
    starts.push({ from: Math.max(start, Math.min(archived.get(partition) ?? end, end) - LOOK_BACK), end });
  }
  return starts;
}
