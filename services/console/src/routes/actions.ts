import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { type ActionState, UNDOABLE_STATES } from '@eyrie/schemas';
import { ActionParam, ActionQuery, ApiAction, ApiActionDetail, ApiAsked, pageOf } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { cut } from '../core/cursor.ts';
import { presentAction } from '../core/present.ts';
import { selectActions, selectIntent } from '../queries/actions.ts';
import { boundCluster } from './access.ts';
import { afterOf, cursorAt } from './cursor.ts';
import { errors } from './errors.ts';
import { askOwner, whoAsks } from './owner-request.ts';

const tags = ['actions'];
const LIST = 'actions';

/** The ledger: each intent at its latest state, and the whole story of one. */
export function actionRoutes(app: App, context: Context): void {
  const { store, mask, clock } = context;
  app.get(
    '/v1/actions',
    {
      config: { scope: 'read' },
      schema: { tags, querystring: ActionQuery, response: { 200: pageOf(ApiAction), ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, ...filter } = request.query;
      const after = afterOf(LIST, cursor);
      const selection = { ...filter, ...boundCluster(principal, undefined) };
      const { items, last } = cut(await selectActions(store, principal.tenant, selection, after, limit + 1), limit);
      return {
        items: items.map((row) => presentAction(row, mask)),
        ...(last === undefined ? {} : { next_cursor: cursorAt(LIST, last.at, last.intent_key) }),
      };
    },
  );

  app.get(
    '/v1/actions/:intent_key',
    { config: { scope: 'read' }, schema: { tags, params: ActionParam, response: { 200: ApiActionDetail, ...errors } } },
    async (request) => {
      const principal = principalOf(request);
      const rows = await selectIntent(store, principal.tenant, request.params.intent_key);
      const latest = rows.at(-1);
      if (latest === undefined || (principal.cluster !== '*' && latest.cluster !== principal.cluster)) {
        throw new AppError('EYRIE_HTTP_NOT_FOUND', `there is no action ${request.params.intent_key}`);
      }
      return { action: presentAction(latest, mask), states: rows.map((row) => presentAction(row, mask)) };
    },
  );

  app.post(
    '/v1/actions/:intent_key/undo',
    {
      config: { scope: 'respond' },
      schema: {
        tags,
        description:
          'Takes it back where the live value is still what was set; what became of it stands in the ledger.',
        params: ActionParam,
        response: { 202: ApiAsked, ...errors },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const latest = (await selectIntent(store, principal.tenant, request.params.intent_key)).at(-1);
      if (latest === undefined || (principal.cluster !== '*' && latest.cluster !== principal.cluster)) {
        throw new AppError('EYRIE_HTTP_NOT_FOUND', `there is no action ${request.params.intent_key}`);
      }
      if (!UNDOABLE_STATES.has(latest['state'] as ActionState) || latest['plan'] === '') {
        throw new AppError('EYRIE_HTTP_CONFLICT', `it is ${latest['state']}: there is nothing to take back`);
      }
      const id = randomUUID();
      await askOwner(context, latest, {
        v: 1,
        id,
        kind: 'undo',
        tenant: principal.tenant,
        plan: String(latest['plan']),
        intent_key: latest.intent_key,
        by: whoAsks(principal),
        at: clock.now(),
      });
      return reply.code(202).send({ request_id: id });
    },
  );
}
