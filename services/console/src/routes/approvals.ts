import { randomUUID } from 'node:crypto';
import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import type { Principal } from '@eyrie/platform/tokens';
import { ApiApproval, ApiAsked, ApprovalBody, ApprovalParam, pageOf } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import { type ActionRow, selectAwaiting } from '../queries/actions.ts';
import { boundCluster } from './access.ts';
import { errors } from './errors.ts';
import { askOwner } from './owner-request.ts';

const tags = ['approvals'];
/** Plans that are listed; more wait longer than anyone reads. */
const LISTED_MAX = 1_000;

/** Plans that wait for persons. The owner of the partition counts who said what; here is only checked who may speak. */
export function approvalRoutes(app: App, context: Context): void {
  const { store, clock } = context;

  app.get(
    '/v1/approvals',
    { config: { scope: 'read' }, schema: { tags, response: { 200: pageOf(ApiApproval), ...errors } } },
    async (request) => ({ items: plansOf(await awaiting(principalOf(request))) }),
  );

  app.post(
    '/v1/approvals/:plan',
    {
      config: { scope: 'respond' },
      schema: { tags, params: ApprovalParam, body: ApprovalBody, response: { 202: ApiAsked, ...errors } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { person, tenant } = principal;
      if (person === undefined) {
        const message = 'this token is of a service; a person approves (eyrie tokens create --person)';
        throw new AppError('EYRIE_HTTP_FORBIDDEN', message);
      }
      const { plan } = request.params;
      const { decision, plan_hash: hash, note } = request.body;
      const rows = await awaiting(principal, plan);
      const row = rows.find(({ due_at }) => Date.parse(String(due_at)) > clock.now());
      if (row === undefined) throw new AppError('EYRIE_HTTP_NOT_FOUND', `no plan ${plan} waits for approval`);
      if (row['plan_hash'] !== hash) {
        throw new AppError('EYRIE_HTTP_CONFLICT', 'the plan is another one than you saw; look at it again');
      }
      const id = randomUUID();
      const highest = rows.reduce((most, one) => (Number(one['class']) > Number(most['class']) ? one : most), row);
      await askOwner(context, highest, {
        v: 1,
        id,
        kind: 'approval',
        tenant,
        plan,
        plan_hash: hash,
        decision,
        by: person,
        ...(note !== undefined && { note }),
        at: clock.now(),
      });
      return reply.code(202).send({ request_id: id });
    },
  );

  function awaiting(principal: Principal, plan?: string): Promise<readonly ActionRow[]> {
    const selection = { ...boundCluster(principal, undefined), ...(plan !== undefined && { plan }) };
    return selectAwaiting(store, principal.tenant, selection, LISTED_MAX);
  }
}

/** One entry a plan; its actions in the order of the rule. */
function plansOf(rows: readonly ActionRow[]) {
  const plans = new Map<string, ActionRow[]>();
  for (const row of rows) {
    const key = String(row['plan']);
    plans.set(key, [...(plans.get(key) ?? []), row]);
  }
  return [...plans].flatMap(([plan, steps]) => {
    const [first] = steps;
    if (first === undefined) return [];
    const text = (name: string) => String(first[name]);
    return {
      plan,
      plan_hash: text('plan_hash'),
      rule_id: text('rule_id'),
      cluster: first.cluster,
      alert_id: text('alert_id'),
      target: text('target'),
      actions: steps.map((step) => `${step['action']} (${step['actionner']})`),
      asked_at: first.at,
      expires_at: text('due_at'),
    };
  });
}
