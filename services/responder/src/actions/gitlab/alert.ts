import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient, HttpResponse } from '@eyrie/platform/http-client';
import { z } from 'zod';
import type { EffectResult } from '../../core/owner/decision.ts';
import type { Action } from '../action.ts';
import { failedAnswer, failedRequest } from '../answers.ts';
import { checkNamed } from '../named-connection.ts';
import { alertBody } from './alert-body.ts';

const Parameters = z.strictObject({
  connection: z.string().min(1).max(64),
  environment: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_/{}. -]{0,253}$/, 'must be the name of an environment')
    .exactOptional()
    .describe('Of the project, whose dashboard then shows the alert.'),
});

const Made = z.array(z.looseObject({ iid: z.number().int() }));

/** Raises an alert at GitLab's HTTP integration, which knows repeats by the fingerprint: the same rule at the same workload. */
export function gitlabAlert({ gitlabAlerts }: Connections, http: HttpClient): Action {
  return {
    summary: 'Raises a GitLab alert, one for each rule and workload until it is resolved.',
    class: 0,
    parameters: Parameters,
    recovery: 'repeat',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: checkNamed(Parameters, gitlabAlerts, {
      kind: 'gitlab_alerts',
      // One at a time: of two first alerts of a fingerprint at once GitLab refuses one.
      lane: (connection) => ({ name: `gitlab-alert/${connection}`, max: 1, intervalMs: 0 }),
    }),
    run: async (call, signal) => {
      const { connection, environment } = Parameters.parse(call.action.parameters);
      const target = gitlabAlerts.get(connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      try {
        const answer = await http.send({
          url: target.url,
          method: 'POST',
          headers: {
            authorization: `Bearer ${target.key}`,
            'content-type': 'application/json',
            'user-agent': 'eyrie',
          },
          body: alertBody(call, environment),
          network: target.network,
          timeoutMs: call.action.timeoutMs,
          signal,
        });
        return answer.status === 200 ? done(answer) : failedAnswer(answer);
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}

/** What came back names the alert; that it is there the status has said. */
function done({ body }: HttpResponse): EffectResult {
  try {
    const [first] = Made.parse(JSON.parse(body));
    return first === undefined ? { kind: 'succeeded' } : { kind: 'succeeded', detail: `^alert#${first.iid}` };
  } catch {
    return { kind: 'succeeded' };
  }
}
