import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import type { EventId } from '@eyrie/schemas';
import { ApiEvent, EventIdParam, EventQuery, pageOf, RawFlag } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { cut } from '../core/cursor.ts';
import { presentEvent } from '../core/present.ts';
import { selectEvent, selectEvents } from '../queries/events.ts';
import { boundCluster } from './access.ts';
import { afterOf, cursorAt } from './cursor.ts';
import { errors } from './errors.ts';
import { requireRaw } from './raw.ts';

const tags = ['events'];
const LIST = 'events';

/** Judged events, newest first. Text is masked unless raw values were asked for. */
export function eventRoutes(app: App, context: Context): void {
  const { store, mask } = context;

  app.get(
    '/v1/events',
    {
      config: { scope: 'read' },
      schema: { tags, querystring: EventQuery, response: { 200: pageOf(ApiEvent), ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, raw, ...filter } = request.query;
      if (raw) requireRaw(context, request, 'events');
      const selection = { ...filter, ...boundCluster(principal, filter.cluster) };
      const after = afterOf(LIST, cursor);
      const rows = await selectEvents(store, principal.tenant, selection, after, { limit: limit + 1, raw });
      const { items, last } = cut(rows, limit);
      return {
        items: items.map((row) => presentEvent(row, raw ? unmasked : mask)),
        ...(last === undefined ? {} : { next_cursor: cursorAt(LIST, last.time, last.event_id) }),
      };
    },
  );

  app.get(
    '/v1/events/:id',
    {
      config: { scope: 'read' },
      schema: { tags, params: EventIdParam, querystring: RawFlag, response: { 200: ApiEvent, ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { raw } = request.query;
      if (raw) requireRaw(context, request, 'event');
      const row = await selectEvent(store, principal.tenant, request.params.id as EventId);
      if (row === undefined || (principal.cluster !== '*' && row.cluster !== principal.cluster)) {
        throw new AppError('EYRIE_HTTP_NOT_FOUND', `there is no event ${request.params.id}`);
      }
      return presentEvent(row, raw ? unmasked : mask);
    },
  );
}

const unmasked = (text: string) => text;
