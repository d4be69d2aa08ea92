import type { HttpApp, InterceptTools } from '@eyrie/platform/http/server';
import { z } from 'zod';
import type { Intake } from './intake.ts';

const Answer = z
  .object({
    accepted: z.number().int().min(0),
    rejected: z.array(
      z.object({ index: z.number().int().min(0), code: z.string(), message: z.string() }).describe('A line refused.'),
    ),
    rejected_more: z.number().int().min(1).optional().describe('Rejected lines beyond those listed.'),
  })
  .describe('Every line is durable: accepted as an event, or rejected and kept in the dead letters.');
const Failure = z.object({ error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }) });

/** The same path behind Fastify: described, and taken by what the fast lane passes on. */
export function addIntakeRoutes(app: HttpApp, intake: Intake, tools: () => InterceptTools): void {
  void app.register(async (scope) => {
    // The body stays a stream: intake reads it within its own bounds.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    for (const url of ['/', '/v1/events']) {
      scope.post(
        url,
        {
          // Intake asks for the token itself, so that every refusal is counted as blind time.
          config: { scope: 'public' },
          schema: {
            summary: 'Post events: one JSON object, a JSON array, or application/x-ndjson; plain, gzip or zstd',
            consumes: ['application/json', 'application/x-ndjson'],
            response: { 200: Answer, '4xx': Failure, '5xx': Failure },
          },
        },
        (request, reply) => {
          reply.hijack();
          return intake(request.raw, reply.raw, tools()) as Promise<never>;
        },
      );
    }
  });
}
