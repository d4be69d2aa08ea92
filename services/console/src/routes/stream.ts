import { AppError } from '@eyrie/platform/errors';
import { readCredentials } from '@eyrie/platform/http/credentials';
import { principalOf } from '@eyrie/platform/http/server';
import { StreamQuery } from '@eyrie/schemas/api';
import { z } from 'zod';
import type { App, Context } from '../context.ts';
import { errors } from './errors.ts';

/** Alerts as they are told, as server-sent events. */
export function streamRoutes(app: App, { authenticate, streams }: Context): void {
  app.get(
    '/v1/stream',
    {
      config: { scope: 'read' },
      // A HEAD that never ends helps nobody.
      exposeHeadRoute: false,
      schema: {
        tags: ['alerts'],
        description:
          'Server-sent events: `alert` with a version of an alert, `gap` where the log no longer holds what was missed, ' +
          '`cut` with a code before the server ends the stream. Each id is the position after it: send it back as ' +
          'Last-Event-ID and nothing is lost or comes twice. Without it the stream begins now.',
        querystring: StreamQuery,
        response: { 200: z.string().describe('text/event-stream'), ...errors },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const header = request.headers['last-event-id'];
      const lastEventId = typeof header === 'string' && header !== '' ? header : request.query.last_event_id;
      const start = await streams.startOf(lastEventId);
      if (typeof start === 'string') throw new AppError('EYRIE_HTTP_BAD_REQUEST', start);
      if (!streams.hasRoom(principal.tenant)) {
        throw new AppError('EYRIE_HTTP_UNAVAILABLE', 'too many streams are open');
      }
      reply.hijack();
      streams.open(request.raw, reply.raw, start, {
        tenant: principal.tenant,
        cluster: principal.cluster,
        suppressed: request.query.include === 'suppressed',
        mayStay: () => {
          const token = readCredentials(request.raw)?.token;
          // Without a token the certificate spoke, and it holds as long as its connection.
          return token === undefined || authenticate(token)?.scopes.includes('read') === true;
        },
      });
    },
  );
}
