import { createHttpServer, type HttpServer } from '@eyrie/platform/http/server';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Config } from './config.ts';
import type { Foundation } from './foundation.ts';

export interface Health extends Component {
  /** `http://127.0.0.1:2803`, once started. */
  readonly address: string;
}

/** Health, readiness and metrics for orchestrators and Prometheus: no token, no TLS, nothing else. */
export function createHealth({ clock, log, metrics, vitals }: Foundation, config: Config): Health {
  let server: HttpServer | undefined;
  return {
    name: 'health',
    get address() {
      return server?.address ?? '';
    },
    start: async () => {
      server = await createHttpServer({
        name: 'Eyrie health',
        host: config.EYRIE_HEALTH_HOST,
        port: config.EYRIE_HEALTH_PORT,
        clock,
        log,
        metrics,
        authenticate: () => undefined,
        ready: () => vitals.parts(),
        metricsScope: 'public',
      });
      await server.listen();
    },
    stop: async () => server?.close(),
  };
}
