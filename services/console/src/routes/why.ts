import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { ApiWhy, WhyParam } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { readWhyId } from '../core/why-id.ts';
import { tell } from '../why/tell.ts';
import { errors } from './errors.ts';

/** Why an event, alert, pod or line ended as it did. */
export function whyRoutes(app: App, context: Context): void {
  app.get(
    '/v1/why/*',
    {
      config: { scope: 'read' },
      schema: {
        tags: ['why'],
        description:
          'The id of an event or alert, the uid of a pod, `namespace/pod`, `cluster/namespace/pod`, or a line as ' +
          '`raw/<partition>/<offset>/<index>`.',
        params: WhyParam,
        response: { 200: ApiWhy, ...errors },
      },
    },
    async (request) => {
      const text = request.params['*'];
      const id = readWhyId(text);
      if (id === undefined) {
        throw new AppError(
          'EYRIE_HTTP_BAD_REQUEST',
          'params: give an event or alert id (32 hex digits), a pod uid, namespace/pod, or raw/partition/offset/index',
        );
      }
      const told = await tell(context, principalOf(request), id);
      if (told !== undefined) return told;
      throw new AppError(
        'EYRIE_HTTP_NOT_FOUND',
        `nothing is known of ${text}: it never came, its rows have expired, or it came in the last two seconds`,
      );
    },
  );
}
