import { principalOf } from '@eyrie/platform/http/server';
import { ApiDeadLetter, DeadLetterQuery, pageOf } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { cut } from '../core/cursor.ts';
import { presentDeadLetter } from '../core/present.ts';
import { selectDeadLetters } from '../queries/records.ts';
import { boundCluster } from './access.ts';
import { afterOf, cursorAt } from './cursor.ts';
import { errors } from './errors.ts';
import { requireRaw } from './raw.ts';

const LIST = 'dead-letters';

/** Records set aside, with their reason, newest first. What is no tenant's own the operator sees, unless bound to a cluster. */
export function deadLetterRoutes(app: App, context: Context): void {
  const { store, mask, operator } = context;
  app.get(
    '/v1/dead-letters',
    {
      config: { scope: 'admin' },
      schema: {
        tags: ['dead letters'],
        querystring: DeadLetterQuery,
        response: { 200: pageOf(ApiDeadLetter), ...errors },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, raw, ...filter } = request.query;
      if (raw) requireRaw(context, request, 'dead letters');
      const nobodys = principal.tenant === operator && principal.cluster === '*';
      const selection = { ...filter, ...boundCluster(principal, undefined), nobodys };
      const after = afterOf(LIST, cursor);
      const { items, last } = cut(await selectDeadLetters(store, principal.tenant, selection, after, limit + 1), limit);
      return {
        items: items.map((row) => presentDeadLetter(row, mask, raw)),
        ...(last === undefined ? {} : { next_cursor: cursorAt(LIST, last.at, last.key) }),
      };
    },
  );
}
