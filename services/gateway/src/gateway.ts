import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { GateOptions } from '@eyrie/platform/http/gate';
import type { HttpLimits, TlsFiles } from '@eyrie/platform/http/listener';
import { createHttpServer, type HttpServer } from '@eyrie/platform/http/server';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Vitals } from '@eyrie/platform/vitals';
import { LIMITS, type TenantId } from '@eyrie/schemas';
import type { InputEntry } from '@eyrie/schemas/inputs';
import { createAppender } from './appender.ts';
import { noteCutOff } from './body.ts';
import { createBudget } from './budget.ts';
import { createQuotas, type TenantQuota } from './core/quota.ts';
import { raiseHeartbeats } from './heartbeat.ts';
import { createIntake } from './intake.ts';
import { createRefusals } from './refusals.ts';
import { addIntakeRoutes } from './route.ts';
import { createInputs } from './topics/topics.ts';

export interface GatewayDependencies extends Pick<GateOptions, 'authenticate' | 'authenticateCertificate'> {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly vitals?: Vitals;
  /** Told of what no new start of an input can mend. */
  readonly onFailure?: (error: unknown) => void;
}

export interface GatewayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 2801, the port of falcosidekick; 0 = any free one. */
  readonly port?: number;
  readonly tls?: TlsFiles;
  /** Bytes of a body, compressed and not (default 32 MiB). */
  readonly bodyBytes?: number;
  /** Bytes of the line of one event (default 256 KiB). */
  readonly eventBytes?: number;
  /** Events of one body (default 100,000). */
  readonly lines?: number;
  /** Bytes of bodies in memory at once; beyond it 503 (default 128 MiB, or twice `bodyBytes`). */
  readonly inflightBytes?: number;
  /** Compressed bodies may grow this many times (default 500). */
  readonly expansion?: number;
  readonly http?: Partial<Omit<HttpLimits, 'bodyBytes'>>;
  /** Topics of others to be read as well. */
  readonly inputs?: readonly InputEntry[];
  readonly quotaOf?: (tenant: string) => TenantQuota;
  /** The tenant that is shown refusals without a valid token (default `default`). */
  readonly operator?: TenantId;
  /** Milliseconds between two heartbeats that measure the path behind the gateway (default 0 = none). */
  readonly heartbeatMs?: number;
  /** Other parts that must work before events may come. */
  readonly isReady?: () => Readonly<Record<string, boolean>>;
}

export interface Gateway extends Component {
  /** `http://127.0.0.1:2801`, once started. */
  readonly address: string;
}

const MIB = 1024 * 1024;
/** Room for the largest body twice, packed and not: with less it would be refused for want of space again and again. */
const INFLIGHT_BYTES = 128 * MIB;
const REFUSALS_MS = 1000;
const PATHS: ReadonlySet<string> = new Set(['/', '/v1/events']);

/** Takes events by HTTP and answers once they are durable in the topic `raw`. */
export function createGateway(deps: GatewayDependencies, options: GatewayOptions = {}): Gateway {
  const { bus, clock, log, metrics } = deps;
  const limits = {
    bodyBytes: options.bodyBytes ?? 32 * MIB,
    eventBytes: options.eventBytes ?? LIMITS.eventBytes,
    lines: options.lines ?? 100_000,
    expansion: options.expansion ?? 500,
  };
  const operator = options.operator ?? ('default' as TenantId);
  const heartbeatMs = options.heartbeatMs ?? 0;
  const refusals = createRefusals({ bus, clock, metrics, log, operator });
  const budget = createBudget(options.inflightBytes ?? Math.max(INFLIGHT_BYTES, 2 * limits.bodyBytes), () =>
    metrics.count('eyrie_bound_reached_total', { bound: 'intake_inflight_bytes' }),
  );
  const appender = createAppender(
    bus,
    (seconds) => metrics.observe('eyrie_intake_commit_seconds', {}, seconds),
    () => metrics.count('eyrie_bound_reached_total', { bound: 'intake_gather_ms' }),
  );
  const quotas = createQuotas(options.quotaOf ?? (() => ({})));
  const intake = createIntake({ appender, budget, quotas, refusals, clock, metrics }, limits);

  const topics = createInputs(
    { ...deps, quotas, refusals, onFailure: (error) => deps.onFailure?.(error) },
    options.inputs ?? [],
    limits.eventBytes,
  );

  let server: HttpServer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopHeartbeats: (() => void) | undefined;
  let flushing = Promise.resolve();
  const flush = () => {
    metrics.set('eyrie_intake_inflight_bytes', {}, budget.used);
    flushing = flushing.then(() => refusals.flush());
    return flushing;
  };

  return {
    name: 'gateway',
    get address() {
      return server?.address ?? '';
    },
    start: async () => {
      server = await createHttpServer({
        name: 'Eyrie gateway',
        host: options.host ?? '127.0.0.1',
        port: options.port ?? 2801,
        clock,
        log,
        metrics,
        authenticate: deps.authenticate,
        ...(deps.authenticateCertificate && { authenticateCertificate: deps.authenticateCertificate }),
        ...(options.tls && { tls: options.tls }),
        limits: { ...options.http, bodyBytes: limits.bodyBytes },
        ready: () => ({ ...options.isReady?.(), gateway: true }),
        intercept: (request, response, tools) => {
          if (request.method !== 'POST' || !PATHS.has(request.url ?? '')) return false;
          void intake(request, response, tools);
          return true;
        },
        onBroken: ({ socket, peer, status, code }) => {
          if (noteCutOff(socket, code)) return;
          metrics.count('eyrie_intake_requests_total', { code: String(status) });
          refusals.note({ principal: undefined, peer, code, message: 'the request was cut off or is not HTTP' });
        },
      });
      const { app, tools } = server;
      addIntakeRoutes(app, intake, () => tools);
      await server.listen();
      await topics.start();
      timer = setInterval(() => void flush(), REFUSALS_MS).unref();
      if (heartbeatMs > 0) stopHeartbeats = raiseHeartbeats({ bus, clock, log, operator }, heartbeatMs);
    },
    stop: async () => {
      clearInterval(timer);
      stopHeartbeats?.();
      await Promise.all([server?.close(), topics.stop()]);
      await flush();
    },
  };
}
