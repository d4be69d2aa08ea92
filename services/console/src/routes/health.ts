import { principalOf } from '@eyrie/platform/http/server';
import { ApiHealth, HealthQuery, pageOf } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { cut } from '../core/cursor.ts';
import { presentHealth } from '../core/present.ts';
import { selectHealth } from '../queries/records.ts';
import { boundCluster } from './access.ts';
import { afterOf, cursorAt } from './cursor.ts';
import { errors } from './errors.ts';

const LIST = 'health';

/** What sensors said of themselves: drops, metrics, proof of life, refused and lost events. Newest first. */
export function healthRoutes(app: App, { store, mask }: Context): void {
  app.get(
    '/v1/health',
    {
      config: { scope: 'read' },
      schema: { tags: ['coverage'], querystring: HealthQuery, response: { 200: pageOf(ApiHealth), ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, cluster, ...filter } = request.query;
      const selection = { ...filter, ...boundCluster(principal, cluster) };
      const after = afterOf(LIST, cursor);
      const { items, last } = cut(await selectHealth(store, principal.tenant, selection, after, limit + 1), limit);
      return {
        items: items.map((row) => presentHealth(row, mask)),
        ...(last === undefined ? {} : { next_cursor: cursorAt(LIST, last.time, last.key) }),
      };
    },
  );
}
