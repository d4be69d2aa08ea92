import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import type { Principal } from '@eyrie/platform/tokens';
import { type Alert, type AlertId, isoOfNanos, msOfNanos, parseNanos, partitionOf } from '@eyrie/schemas';
import {
  AlertId as AlertIdParam,
  AlertQuery,
  ApiAlert,
  ApiAlertDetail,
  ApiVerdictTaken,
  pageOf,
  VerdictBody,
} from '@eyrie/schemas/api';
import { findAlert, listAlerts } from '../alert-list.ts';
import type { App, Context } from '../context.ts';
import { keyOfAlert } from '../core/alert-filter.ts';
import { cut } from '../core/cursor.ts';
import { presentAction, presentAlert, presentEvent } from '../core/present.ts';
import { verdictCommand } from '../core/verdict.ts';
import { selectActions } from '../queries/actions.ts';
import { selectAlertVersions } from '../queries/alerts.ts';
import { selectEvents } from '../queries/events.ts';
import { boundCluster } from './access.ts';
import { afterOf, cursorAt } from './cursor.ts';
import { errors } from './errors.ts';

const tags = ['alerts'];
/** What one alert shows of its versions, events and actions. */
const DETAIL = { versions: 100, events: 20, actions: 100 };
/** How long a verdict waits for the judge before it answers 202, milliseconds. */
const VERDICT_WAIT_MS = 3_000;

export function alertRoutes(app: App, context: Context): void {
  const { bus, store, signer, clock, mask, recent } = context;

  app.get(
    '/v1/alerts',
    {
      config: { scope: 'read' },
      schema: { tags, querystring: AlertQuery, response: { 200: pageOf(ApiAlert), ...errors } },
    },
    async (request) => {
      const principal = principalOf(request);
      const { limit, cursor, ...filter } = request.query;
      const selection = { ...filter, ...boundCluster(principal, filter.cluster) };
      const list = `alerts/${filter.sort}`;
      const after = afterOf(list, cursor);
      const { items, last } = cut(await listAlerts(context, principal.tenant, selection, after, limit + 1), limit);
      const key = last && keyOfAlert(last, filter.sort);
      return {
        items: items.map((alert) => show(alert)),
        ...(key === undefined ? {} : { next_cursor: cursorAt(list, isoOfNanos(key.time), key.id) }),
      };
    },
  );

  app.get(
    '/v1/alerts/:id',
    { config: { scope: 'read' }, schema: { tags, params: AlertIdParam, response: { 200: ApiAlertDetail, ...errors } } },
    async (request) => {
      const principal = principalOf(request);
      const alert = await mustFind(principal, request.params.id as AlertId);
      const { tenant } = principal;
      const { alert_id } = alert;
      const [versions, events, actions] = await Promise.all([
        selectAlertVersions(store, tenant, alert.alert_id, DETAIL.versions),
        selectEvents(store, tenant, { alert_id }, undefined, { limit: DETAIL.events, raw: false }),
        selectActions(store, tenant, { alert_id }, undefined, DETAIL.actions),
      ]);
      return {
        alert: show(alert),
        // What the log's end holds is not in ClickHouse yet.
        versions: [...(versions[0]?.version === alert.version ? [] : [alert]), ...versions].map(show),
        events: events.map((event) => presentEvent(event, mask)),
        actions: actions.map((action) => presentAction(action, mask)),
      };
    },
  );

  app.post(
    '/v1/alerts/:id/verdict',
    {
      config: { scope: 'triage' },
      schema: {
        tags,
        description: '200 with the new version once the judge has taken it; 202 when that takes longer.',
        params: AlertIdParam,
        body: VerdictBody,
        response: { 200: ApiVerdictTaken, 202: ApiVerdictTaken, ...errors },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const alert = await mustFind(principal, request.params.id as AlertId);
      const now = clock.now();
      const until = endOfDismissal(request.body.dismissed_until, now);
      const command = verdictCommand(alert, request.body, { id: randomUUID(), by: principal.name, at: now, until });
      const partition = partitionOf(alert.routing_key, bus.partitions('commands'));
      await bus.append([{ topic: 'commands', partition, key: alert.routing_key, value: signer.seal(command) }]);
      // A merged alert's commands go to its survivor.
      const subject = alert.merged_into ?? alert.alert_id;
      const isAnswer = ({ triage }: Alert) => triage.by === command.by && triage.at === command.at;
      const judged = await recent.waitFor(principal.tenant, subject, isAnswer, VERDICT_WAIT_MS);
      if (judged === undefined) return reply.code(202).send({ command_id: command.id });
      return { command_id: command.id, alert: show(judged) };
    },
  );

  function show(alert: Alert) {
    return presentAlert(alert, mask);
  }

  async function mustFind(principal: Principal, id: AlertId): Promise<Alert> {
    const alert = await findAlert(context, principal.tenant, id);
    if (alert === undefined || (principal.cluster !== '*' && alert.cluster !== principal.cluster)) {
      throw new AppError('EYRIE_HTTP_NOT_FOUND', `there is no alert ${id}`);
    }
    return alert;
  }
}

function endOfDismissal(text: string | undefined, now: number): number | undefined {
  const nanos = text === undefined ? undefined : parseNanos(text);
  if (nanos === undefined) return undefined;
  const until = msOfNanos(nanos);
  if (until <= now) throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'body/dismissed_until lies in the past');
  return until;
}
