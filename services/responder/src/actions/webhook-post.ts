import { createHmac } from 'node:crypto';
import type { Clock } from '@eyrie/platform/clock';
import type { Connections, WebhookTarget } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { z } from 'zod';
import type { Call } from '../core/owner/decision.ts';
import type { Action } from './action.ts';
import { failedAnswer, failedRequest } from './answers.ts';
import { fitBody } from './fit-body.ts';
import { checkNamed } from './named-connection.ts';
import { payload } from './payload.ts';

const Parameters = z.strictObject({ connection: z.string().min(1).max(64) });

/** Receivers are told to expect no more. */
const BODY_MAX = 20_000;

/** Posts as Standard Webhooks 1.0 says. A repeat carries the same webhook-id, so that the receiver knows it. */
export function webhookPost({ webhooks }: Connections, http: HttpClient, clock: Clock): Action {
  return {
    class: 0,
    parameters: Parameters,
    summary: 'Posts the alert to a web hook, signed (Standard Webhooks 1.0).',
    recovery: 'repeat',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: checkNamed(Parameters, webhooks, {
      kind: 'webhooks',
      lane: (connection) => ({ name: `webhook/${connection}`, max: 4, intervalMs: 0 }),
    }),
    run: async (call, signal) => {
      const target = webhooks.get(Parameters.parse(call.action.parameters).connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      const body = webhookBody(call);
      try {
        const answer = await http.send({
          url: target.url,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'eyrie',
            ...signatureHeaders(target, call.intent.intent_key, Math.floor(clock.now() / 1_000), body),
          },
          body,
          network: target.network,
          timeoutMs: call.action.timeoutMs,
          signal,
        });
        return answer.status >= 200 && answer.status < 300 ? { kind: 'succeeded' } : failedAnswer(answer);
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}

function signatureHeaders({ secret }: WebhookTarget, intentKey: string, timestamp: number, body: string) {
  const id = `msg_${intentKey}`;
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}

/** `timestamp` is when the rule matched: the same in every repeat. */
function webhookBody(call: Call): string {
  const data = payload(call, { mask: true });
  return fitBody(Object.entries(data.fields), BODY_MAX, (fields) =>
    JSON.stringify({
      type: 'eyrie.alert.action',
      timestamp: new Date(call.plan.at).toISOString(),
      data: { ...data, fields: Object.fromEntries(fields) },
    }),
  );
}
