import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '@eyrie/schemas';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Principal } from '../tokens.ts';
import { answerOf, type ErrorAnswer, envelope } from './answer.ts';
import { answerBrokenRequest, type BrokenRequest } from './broken.ts';
import { addCommonRoutes } from './common-routes.ts';
import { createIdentify, type GateOptions, type Identify, requireScope } from './gate.ts';
import { createListener, DEFAULT_LIMITS, type HttpLimits, type Listener, type TlsFiles } from './listener.ts';
import { createPeerBuckets } from './peers.ts';

/** What a route asks of the token: a scope, any valid token, or nothing (health only). */
export type RouteScope = Scope | 'any' | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required on every route: one without it cannot be registered. */
    scope?: RouteScope;
  }
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

export interface HttpServerOptions extends Omit<GateOptions, 'requireCertificate'> {
  /** Shown in the OpenAPI document and in log lines. */
  readonly name: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly tls?: TlsFiles;
  readonly limits?: Partial<HttpLimits>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Parts that must work before traffic may come; `/readyz` answers 503 while one is false. */
  readonly ready: () => Readonly<Record<string, boolean>>;
  /** What a reader of the metrics must show (default a token with the scope `read`). */
  readonly metricsScope?: 'read' | 'public';
  /** Handles a request before Fastify sees it; false passes it on. For hot paths. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, tools: InterceptTools) => boolean;
  /** Called for a request that was cut off before it was one: timeout, header flood, garbage. */
  readonly onBroken?: (broken: BrokenRequest) => void;
}

/** What a handler in front of Fastify shares with the routes behind it. */
export interface InterceptTools {
  readonly identify: Identify;
  /** How to answer an error; logs what must be logged. */
  readonly explain: (error: unknown, peer: string, requestId?: string) => Explained;
}

export interface Explained extends ErrorAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type HttpServer = Awaited<ReturnType<typeof createHttpServer>>;
/** Fastify with zod: routes take `schema` as zod types and need `config: { scope }`. */
export type HttpApp = HttpServer['app'];

/** The principal of a request whose route asks for a token. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === undefined) throw new AppError('EYRIE_HTTP_UNAUTHENTICATED', 'no token');
  return request.principal;
}

const OUTAGE_BUCKETS = { burst: 5, perSecond: 0.2, maxPeers: 100 };
const LOG_BUCKETS = { burst: 20, perSecond: 1, maxPeers: 10_000 };

/**
 * An HTTP server with TLS, bounds, authentication, one form of errors, health, metrics and OpenAPI.
 * Add routes to `app`, then `listen`.
 */
export async function createHttpServer(options: HttpServerOptions) {
  const { log, metrics, clock, tls } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const identify = createIdentify({ ...options, requireCertificate: tls?.clientCaFile !== undefined });
  const failures = createPeerBuckets(LOG_BUCKETS);
  const outages = createPeerBuckets(OUTAGE_BUCKETS);
  const nextRequestId = createRequestIds();
  let listener: Listener | undefined;
  let address = '';
  let closing = false;

  const explain = (error: unknown, peer: string, requestId = nextRequestId()): Explained => {
    const answer = answerOf(error);
    const headers: Record<string, string> = {
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': requestId,
    };
    if (answer.status >= 500) {
      // A full disk refuses every request: it is said now and then, not in as many lines as there are requests.
      if (answer.status !== 503 || outages.take(answer.code, clock.now())) {
        log.error({ err: error, requestId }, 'request failed');
      } else metrics.count('eyrie_bound_reached_total', { bound: 'http_outage_lines' });
    }
    if (answer.status === 429 || answer.status === 503) headers['retry-after'] = '1';
    if (answer.status === 401) {
      headers['www-authenticate'] = 'Bearer realm="eyrie", Basic realm="eyrie"';
      if (failures.take(peer, clock.now())) {
        log.warn({ peer, requestId }, 'request without valid token');
      } else {
        metrics.count('eyrie_bound_reached_total', { bound: 'http_failed_authentication' });
        headers['connection'] = 'close';
      }
    }
    return { ...answer, headers, body: envelope(answer, requestId) };
  };
  const unreadablePath = (request: IncomingMessage): unknown => {
    try {
      identify(request);
      return new AppError('EYRIE_HTTP_BAD_REQUEST', 'the path is malformed or one part of it is too long');
    } catch (error) {
      return error;
    }
  };
  const tools: InterceptTools = { identify, explain };

  const app = Fastify({
    bodyLimit: limits.bodyBytes,
    genReqId: nextRequestId,
    logger: false,
    routerOptions: { maxParamLength: 500 },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // A path no router can read never reaches the hooks. It is not repeated: it may hold a token.
    frameworkErrors: (_error, request, reply) => {
      const { status, headers, body } = explain(unreadablePath(request.raw), request.ip, request.id);
      void (reply as FastifyReply).code(status).headers(headers).send(body);
    },
    clientErrorHandler: (error, socket) => {
      const broken = answerBrokenRequest(error, socket, nextRequestId());
      if (broken !== undefined) options.onBroken?.(broken);
    },
    serverFactory: (handler) => {
      const { intercept } = options;
      listener = createListener({
        limits,
        tls,
        log,
        handler: (request, response) => {
          // A sender that never pauses would keep its connection, and the server, alive for ever.
          if (closing) response.shouldKeepAlive = false;
          if (intercept?.(request, response, tools) !== true) handler(request, response);
        },
      });
      listener.server.on('drop', () => metrics.count('eyrie_bound_reached_total', { bound: 'http_connections' }));
      return listener.server;
    },
  }).withTypeProvider<ZodTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest('principal', undefined);

  app.addHook('onRoute', ({ config, url }) => {
    if (config?.scope === undefined) throw new Error(`route ${url} does not say which scope it needs`);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    // Also a path that does not exist answers only to those who may ask.
    const scope = request.routeOptions.config.scope ?? 'any';
    if (scope === 'public') return;
    const principal = identify(request.raw);
    if (scope !== 'any') requireScope(principal, scope);
    request.principal = principal;
  });
  app.addHook('onResponse', async (request, reply) => {
    const status = `${Math.trunc(reply.statusCode / 100)}xx`;
    metrics.count('eyrie_http_requests_total', { route: request.routeOptions.url ?? 'none', status });
  });
  app.setNotFoundHandler(() => {
    throw new AppError('EYRIE_HTTP_NOT_FOUND', 'no such path');
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, headers, body } = explain(error, request.ip, request.id);
    return reply.code(status).headers(headers).send(body);
  });
  await addCommonRoutes(app, options);

  return {
    app,
    tools,
    /** `http://127.0.0.1:2801`, once listening. */
    get address() {
      return address;
    },
    listen: async () => {
      await app.listen({ host: options.host, port: options.port }).catch((error: NodeJS.ErrnoException) => {
        throw cannotListen(options, error);
      });
      address = addressOf(app.server.address(), tls !== undefined);
      log.info({ address, server: options.name }, 'listening');
    },
    /** Stops accepting, lets running requests end for a moment, closes the connections. */
    close: async () => {
      closing = true;
      listener?.stop();
      const timer = setTimeout(() => app.server.closeAllConnections(), limits.drainMs);
      await app.close();
      clearTimeout(timer);
    },
    /** Takes up changed certificate files now. */
    reload: () => listener?.reload(),
  };
}

// Not the caller's: a request id goes into logs, and text of callers does not.
function createRequestIds(): () => string {
  const prefix = randomBytes(4).toString('hex');
  let next = 0;
  return () => {
    next += 1;
    return `${prefix}-${next.toString(36)}`;
  };
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'the port needs rights this process does not have',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host is unknown',
};

/** The likeliest first error of a newcomer: the port is taken. */
function cannotListen({ name, host, port }: HttpServerOptions, error: NodeJS.ErrnoException): unknown {
  const problem = LISTEN_PROBLEMS[error.code ?? ''];
  if (problem === undefined) return error;
  const text = `${name} cannot listen on ${host}:${port}: ${problem}; choose another host or port`;
  return new AppError('EYRIE_CONFIG_INVALID', text, { cause: error });
}

function addressOf(bound: AddressInfo | string | null, secure: boolean): string {
  if (bound === null || typeof bound === 'string') return bound ?? '';
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `${secure ? 'https' : 'http'}://${host}:${bound.port}`;
}
