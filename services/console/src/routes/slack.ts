import { AppError } from '@eyrie/platform/errors';
import type { ClusterId, TenantId } from '@eyrie/schemas';
import type { App, Context } from '../context.ts';
import { readInteraction } from '../core/slack-interaction.ts';
import { isSignedBySlack } from '../core/slack-signature.ts';
import { answerPlan } from './answer-plan.ts';

/** What Slack sends for a button is a few KiB. */
const BODY_MAX = 64 * 1024;

/**
 * Buttons under messages that ask for approval. No token comes with them: Slack's signature over the very bytes says who sends,
 * the connection says which tenant and person a user of that team is. Slack waits 3 s and shows any refusal as a warning.
 */
export function slackRoutes(app: App, context: Context): void {
  const { clock, log, slackApprovals } = context;
  if (slackApprovals === undefined) return;
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer', bodyLimit: BODY_MAX },
      (_request, body, done) => done(null, body),
    );
    scope.post('/v1/slack/interactions', { config: { scope: 'public' }, schema: { hide: true } }, async (request) => {
      const body = request.body as Buffer;
      const given = {
        timestamp: String(request.headers['x-slack-request-timestamp'] ?? ''),
        signature: String(request.headers['x-slack-signature'] ?? ''),
      };
      const signers = slackApprovals().filter((one) => isSignedBySlack(one.signingSecret, given, body, clock.now()));
      if (signers.length === 0) {
        throw new AppError('EYRIE_HTTP_UNAUTHENTICATED', 'this was not signed by a Slack app we know');
      }
      const answer = readInteraction(body);
      if (answer === undefined) throw new AppError('EYRIE_HTTP_BAD_REQUEST', 'this is no button of ours');
      // The secret is the app's, which may be installed in teams that are not ours.
      const known = signers.find(({ teamId }) => teamId === answer.team);
      const person = known?.users.get(answer.user);
      if (known === undefined || person === undefined) {
        log.warn({ team: answer.team, user: answer.user }, 'a Slack user who is no person of ours pressed a button');
        throw new AppError('EYRIE_HTTP_FORBIDDEN', 'this user is no person who may approve');
      }
      const who = { tenant: known.tenant as TenantId, cluster: '*' as ClusterId | '*', person };
      await answerPlan(context, who, answer.plan, { decision: answer.decision, plan_hash: answer.planHash });
      return {};
    });
  });
}
