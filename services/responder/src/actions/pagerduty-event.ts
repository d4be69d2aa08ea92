import type { Connections } from '@eyrie/platform/connections';
import type { HttpClient } from '@eyrie/platform/http-client';
import { z } from 'zod';
import type { Call } from '../core/owner/decision.ts';
import type { Action } from './action.ts';
import { failedAnswer, failedRequest } from './answers.ts';
import { checkNamed } from './named-connection.ts';
import { payload } from './payload.ts';
import { subjectKey } from './subject.ts';

const Parameters = z.strictObject({ connection: z.string().min(1).max(64) });

/** What PagerDuty takes. */
const SUMMARY_MAX = 1_024;
const BODY_MAX = 512 * 1024;
/** Its four words; Falco has eight. */
const SEVERITIES: Readonly<Record<string, string>> = {
  Emergency: 'critical',
  Alert: 'critical',
  Critical: 'critical',
  Error: 'error',
  Warning: 'warning',
};

/** Triggers an incident (Events API v2). The same rule at the same workload is the same incident while it is open. */
export function pagerdutyEvent({ pagerduty }: Connections, http: HttpClient): Action {
  return {
    summary: 'Triggers a PagerDuty incident, one for each rule and workload while it is open.',
    class: 0,
    parameters: Parameters,
    recovery: 'repeat',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: checkNamed(Parameters, pagerduty, {
      kind: 'pagerduty',
      lane: (connection) => ({ name: `pagerduty/${connection}`, max: 2, intervalMs: 0 }),
    }),
    run: async (call, signal) => {
      const target = pagerduty.get(Parameters.parse(call.action.parameters).connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      try {
        const answer = await http.send({
          url: target.url,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': 'eyrie' },
          body: eventBody(call, target.routingKey),
          network: target.network,
          timeoutMs: call.action.timeoutMs,
          signal,
        });
        return answer.status === 202 ? { kind: 'succeeded' } : failedAnswer(answer);
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}

function eventBody(call: Call, routingKey: string): string {
  const data = payload(call, { mask: true });
  const { plan } = call;
  const summary = `${data.priority}: ${data.detection} (${plan.cluster})`;
  const event = (details: object) =>
    JSON.stringify({
      routing_key: routingKey,
      event_action: 'trigger',
      dedup_key: subjectKey(call),
      payload: {
        summary: summary.length > SUMMARY_MAX ? `${summary.slice(0, SUMMARY_MAX - 1)}…` : summary,
        source: `${plan.cluster}/${data.target}`.slice(0, SUMMARY_MAX),
        severity: SEVERITIES[data.priority] ?? 'info',
        timestamp: new Date(plan.at).toISOString(),
        component: String(data.fields['workload'] ?? ''),
        group: String(data.fields['namespace'] ?? ''),
        class: data.detection.slice(0, SUMMARY_MAX),
        custom_details: details,
      },
    });
  const whole = event(data);
  return Buffer.byteLength(whole) <= BODY_MAX ? whole : event({ ...data, fields: {} });
}
