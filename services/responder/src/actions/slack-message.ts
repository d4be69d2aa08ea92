import type { Connections, SlackTarget } from '@eyrie/platform/connections';
import type { HttpClient, HttpResponse } from '@eyrie/platform/http-client';
import { maskSecrets } from '@eyrie/platform/mask';
import { z } from 'zod';
import type { Call, EffectResult } from '../core/owner/decision.ts';
import type { Checked } from '../core/rules/compiled.ts';
import { type Action, problemsOf } from './action.ts';
import { failedAnswer, failedRequest, retryAfterMs } from './answers.ts';
import { payload } from './payload.ts';
import { fitSlack } from './slack-text.ts';

const Parameters = z.strictObject({
  connection: z.string().min(1).max(64),
  channel: z
    .string()
    .regex(/^[#A-Za-z0-9._-]{1,80}$/)
    .exactOptional(),
});

/** Slack takes about one message a second in a channel. */
const INTERVAL_MS = 1_100;

/** Posts a message. Slack knows no repeats: when its ending is unknown it is sent once more, never a third time. */
export function slackMessage({ slack }: Connections, http: HttpClient): Action {
  return {
    class: 0,
    parameters: Parameters,
    summary: 'Posts the alert to a Slack channel.',
    recovery: 'once',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: (written) => checkParameters(slack, written),
    run: async (call, signal) => {
      const { connection, channel } = Parameters.parse(call.action.parameters);
      const target = slack.get(connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      const message = slackMessageBody(call, target.approvals !== undefined);
      const { url, headers, body } = requestOf(target, channel, message);
      try {
        const answer = await http.send({
          url,
          method: 'POST',
          headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'eyrie', ...headers },
          body: JSON.stringify(body),
          network: target.network,
          timeoutMs: call.action.timeoutMs,
          signal,
        });
        return readAnswer(target, answer);
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}

function checkParameters(slack: Connections['slack'], written: Readonly<Record<string, unknown>>): Checked {
  const parsed = Parameters.safeParse(written);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { connection, channel } = parsed.data;
  const target = slack.get(connection);
  if (target === undefined) {
    return { ok: false, problems: [{ field: 'connection', message: `there is no slack connection "${connection}"` }] };
  }
  if (target.kind === 'webhook' && channel !== undefined) {
    return { ok: false, problems: [{ field: 'channel', message: 'an incoming webhook has its own channel' }] };
  }
  if (target.kind === 'token' && channel === undefined && target.channel === undefined) {
    return { ok: false, problems: [{ field: 'channel', message: 'neither the rule nor the connection names one' }] };
  }
  const place = channel ?? target.channel ?? '';
  return {
    ok: true,
    class: 0,
    parameters: parsed.data,
    lane: { name: `slack/${connection}/${place}`, max: 1, intervalMs: INTERVAL_MS },
  };
}

function requestOf(target: SlackTarget, channel: string | undefined, message: object) {
  if (target.kind === 'webhook') return { url: target.url, headers: {}, body: message };
  const base = target.apiUrl.endsWith('/') ? target.apiUrl : `${target.apiUrl}/`;
  return {
    url: new URL('chat.postMessage', base).href,
    headers: { authorization: `Bearer ${target.token}` },
    body: { channel: channel ?? target.channel, ...message },
  };
}

/** Block Kit with its limits; `verbatim` keeps Slack from making links and mentions out of plain text. */
function slackMessageBody(call: Call, takesButtons: boolean) {
  const { plan } = call;
  const data = payload(call, { mask: true });
  const title = `${data.priority}: ${data.detection}`;
  const field = (name: string, value: string) => ({
    type: 'mrkdwn',
    verbatim: true,
    text: `*${name}*\n${fitSlack(value, 900)}`,
  });
  const shown = [
    ['Cluster', plan.cluster],
    ['Target', data.target],
    ...NAMES.flatMap(([label, names]) => {
      const value = names.map((name) => data.fields[name]).find((one) => one !== undefined);
      return value === undefined ? [] : [[label, String(value)] as const];
    }),
  ] as const;
  return {
    text: fitSlack(`${title} (${plan.cluster})`, 1_000),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', emoji: false, text: fitSlack(title, 150) } },
      ...(data.summary === ''
        ? []
        : [{ type: 'section', text: { type: 'mrkdwn', verbatim: true, text: fitSlack(data.summary, 1_500) } }]),
      { type: 'section', fields: shown.slice(0, 10).map(([name, value]) => field(name, value)) },
      ...askingBlocks(call, takesButtons),
      {
        type: 'context',
        elements: [
          { type: 'mrkdwn', verbatim: true, text: fitSlack(`alert ${plan.alert_id} · rule ${plan.rule_id}`, 300) },
        ],
      },
    ],
  };
}

/** What waits for a person, and how to say so. A button carries the names of the plan and what was seen of it, and no more. */
function askingBlocks({ plan }: Call, takesButtons: boolean): readonly object[] {
  const { approval } = plan;
  if (approval === undefined) return [];
  const waiting = plan.steps.filter(({ state }) => state === 'awaiting_approval').map(({ action }) => action);
  const until = new Date(approval.until).toISOString().replace('.000Z', 'Z');
  const many = approval.quorum > 1 ? ` by ${approval.quorum} persons` : '';
  const text = `*Waits for approval*${many} until ${until}: ${fitSlack(waiting.join(', '), 900)}`;
  const how = `eyrie approvals approve ${plan.key} --hash ${approval.hash}`;
  const section = (words: string) => ({ type: 'section', text: { type: 'mrkdwn', verbatim: true, text: words } });
  if (!takesButtons) return [section(`${text}\n\`${how}\``)];
  const button = (name: string, label: string, style: string) => ({
    type: 'button',
    action_id: `eyrie-${name}`,
    style,
    text: { type: 'plain_text', text: label },
    value: `${plan.key}:${approval.hash}`,
  });
  const elements = [button('approve', 'Approve', 'primary'), button('deny', 'Deny', 'danger')];
  return [section(text), { type: 'actions', elements }];
}

const NAMES: readonly (readonly [label: string, fields: readonly string[]])[] = [
  ['Namespace', ['namespace', 'k8s.ns.name']],
  ['Workload', ['workload']],
  ['Pod', ['pod', 'k8s.pod.name']],
  ['Host', ['host']],
  ['Image', ['image', 'container.image.repository']],
  ['Command', ['command_line', 'proc.cmdline']],
  ['File', ['file_name', 'fd.name']],
  ['User', ['user_name', 'user.name', 'audit_user']],
];

const TRANSIENT = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']);

/** The API answers 200 also when it refuses; an incoming webhook answers 200 `ok`. */
function readAnswer(target: SlackTarget, answer: HttpResponse): EffectResult {
  if (answer.status !== 200) return failedAnswer(answer);
  if (target.kind === 'webhook') return { kind: 'succeeded' };
  let reply: { readonly ok?: unknown; readonly error?: unknown; readonly ts?: unknown };
  try {
    reply = JSON.parse(answer.body) as typeof reply;
  } catch {
    return { kind: 'ambiguous', reason: 'bad_answer', detail: maskSecrets(answer.body.slice(0, 300)) };
  }
  if (reply?.ok === true) return { kind: 'succeeded', detail: typeof reply.ts === 'string' ? `ts ${reply.ts}` : '' };
  const error = typeof reply?.error === 'string' ? reply.error.slice(0, 100) : 'unknown answer';
  if (error === 'ratelimited' || error === 'rate_limited') {
    return { kind: 'retry', reason: 'http_429', afterMs: retryAfterMs(answer.headers), detail: error };
  }
  if (TRANSIENT.has(error)) return { kind: 'retry', reason: 'http_5xx', detail: error };
  return { kind: 'failed', reason: 'bad_answer', detail: error };
}
