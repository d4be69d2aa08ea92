import type { IncomingMessage, ServerResponse } from 'node:http';
import swagger from '@fastify/swagger';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { jsonSchemaTransform, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Metrics } from '../metrics.ts';

interface CommonOptions {
  /** What a reader of the metrics must show (default a token with the scope `read`). */
  readonly metricsScope?: 'read' | 'public';
  readonly name: string;
  readonly metrics: Metrics;
  readonly ready: () => Readonly<Record<string, boolean>>;
}

type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** Health, metrics and the API's description: the same on every listener. */
export async function addCommonRoutes(
  app: App,
  { name, metrics, ready, metricsScope = 'read' }: CommonOptions,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: { title: name, version: '1', license: { name: 'Apache-2.0' } },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          token: { type: 'apiKey', in: 'header', name: 'X-Eyrie-Token' },
          basic: { type: 'http', scheme: 'basic' },
        },
      },
      security: [{ bearer: [] }, { token: [] }, { basic: [] }],
    },
    transform: jsonSchemaTransform,
  });

  app.get('/healthz', { config: { scope: 'public' }, schema: { hide: true } }, () => ({ status: 'ok' }));
  app.get('/readyz', { config: { scope: 'public' }, schema: { hide: true } }, (_request, reply) => {
    const parts = ready();
    const isReady = Object.values(parts).every(Boolean);
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ready' : 'not_ready', parts });
  });
  app.get('/metrics', { config: { scope: metricsScope }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics.text()),
  );
  app.get('/openapi.json', { config: { scope: 'any' }, schema: { hide: true } }, () => app.swagger());
}
