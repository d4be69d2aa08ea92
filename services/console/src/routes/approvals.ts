import { AppError } from '@eyrie/platform/errors';
import { principalOf } from '@eyrie/platform/http/server';
import { ApiApproval, ApiAsked, ApprovalBody, ApprovalParam, pageOf } from '@eyrie/schemas/api';
import type { App, Context } from '../context.ts';
import type { ActionRow } from '../queries/actions.ts';
import { answerPlan, awaitingPlans } from './answer-plan.ts';
import { errors } from './errors.ts';

const tags = ['approvals'];
/** Plans that wait for persons. The owner of the partition counts who said what; here is only checked who may speak. */
export function approvalRoutes(app: App, context: Context): void {
  app.get(
    '/v1/approvals',
    { config: { scope: 'read' }, schema: { tags, response: { 200: pageOf(ApiApproval), ...errors } } },
    async (request) => ({ items: plansOf(await awaitingPlans(context, principalOf(request))) }),
  );

  app.post(
    '/v1/approvals/:plan',
    {
      config: { scope: 'respond' },
      schema: { tags, params: ApprovalParam, body: ApprovalBody, response: { 202: ApiAsked, ...errors } },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      if (principal.person === undefined) {
        const message = 'this token is of a service; a person approves (eyrie tokens create --person)';
        throw new AppError('EYRIE_HTTP_FORBIDDEN', message);
      }
      const person = { ...principal, person: principal.person };
      const id = await answerPlan(context, person, request.params.plan, request.body);
      return reply.code(202).send({ request_id: id });
    },
  );
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
