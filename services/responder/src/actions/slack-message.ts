import type { Connections, SlackTarget } from '@eyrie/platform/connections';
import type { HttpClient, HttpResponse } from '@eyrie/platform/http-client';
import { maskSecrets } from '@eyrie/platform/mask';
import { z } from 'zod';
import type { EffectResult } from '../core/owner/decision.ts';
import type { Checked } from '../core/rules/compiled.ts';
import { type Action, problemsOf } from './action.ts';
import { failedAnswer, failedRequest, retryAfterMs } from './answers.ts';
import type { ActionMemory } from './memory.ts';
import { NO_CLUSTERS, OWNER } from './namespace-owner.ts';
import { slackMessageBody } from './slack-blocks.ts';
import { slackMethod } from './slack-url.ts';
import { subjectKey } from './subject.ts';

const Parameters = z.strictObject({
  connection: z.string().min(1).max(64),
  channel: z
    .string()
    .regex(/^[#A-Za-z0-9._-]{1,80}$/)
    .exactOptional()
    .describe('`owner`: that of the annotation eyrie.dev/slack-channel of the namespace.'),
  thread: z
    .boolean()
    .exactOptional()
    .describe(
      'Further alerts of the same rule and workload answer the first message. Default, with a bot token: true.',
    ),
});

/** Slack takes about one message a second in a channel. */
const INTERVAL_MS = 1_100;

/** Posts a message. Slack knows no repeats: when its ending is unknown it is sent once more, never a third time. */
export function slackMessage(
  connections: Connections,
  http: HttpClient,
  { threads, owners }: Pick<ActionMemory, 'threads' | 'owners'>,
): Action {
  const { slack } = connections;
  return {
    class: 0,
    parameters: Parameters,
    summary: 'Posts the alert to a Slack channel.',
    recovery: 'once',
    timeoutMs: { standard: 10_000, maximum: 60_000 },
    check: (written) => checkParameters(connections, written),
    run: async (call, signal) => {
      const { connection, channel, thread = true } = Parameters.parse(call.action.parameters);
      const target = slack.get(connection);
      if (target === undefined) return { kind: 'failed', reason: 'connection_gone' };
      const ask = { annotation: 'eyrie.dev/slack-channel', allowed: target.channels } as const;
      const named = channel === OWNER ? await owners.resolve({ connections, http }, call, ask, signal) : channel;
      const place = named ?? target.channel ?? '';
      const key = target.kind === 'token' && thread ? `${connection} ${place} ${subjectKey(call)}` : undefined;
      const priority = call.plan.todo?.context.priority ?? 'Debug';
      const answering = key === undefined ? {} : threads.of(key, priority);
      const message = slackMessageBody(call, target.approvals !== undefined);
      const { url, headers, body } = requestOf(target, place, { ...message, ...answering });
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
        const { result, ts } = readAnswer(target, answer);
        if (key === undefined) return result;
        if (ts !== undefined) threads.told(key, ts, priority);
        if (answering.thread_ts === undefined || result.kind !== 'failed' || !NO_THREAD.test(result.detail ?? '')) {
          return result;
        }
        // Nothing was posted: the next try stands for itself.
        threads.forget(key);
        return { kind: 'retry', reason: 'bad_answer', detail: result.detail ?? '' };
      } catch (error) {
        return failedRequest(error);
      }
    },
  };
}

/** What Slack says of a first message that is gone, or may not be answered any more. */
const NO_THREAD = /thread|cannot_reply/;

function checkParameters({ slack, clusters }: Connections, written: Readonly<Record<string, unknown>>): Checked {
  const parsed = Parameters.safeParse(written);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error) };
  const { connection, channel, thread } = parsed.data;
  const target = slack.get(connection);
  if (target === undefined) {
    return { ok: false, problems: [{ field: 'connection', message: `there is no slack connection "${connection}"` }] };
  }
  if (target.kind === 'webhook' && channel !== undefined) {
    return { ok: false, problems: [{ field: 'channel', message: 'an incoming webhook has its own channel' }] };
  }
  if (channel === OWNER && clusters.size === 0) {
    return { ok: false, problems: [{ field: 'channel', message: NO_CLUSTERS }] };
  }
  if (target.kind === 'webhook' && thread === true) {
    return { ok: false, problems: [{ field: 'thread', message: 'an incoming webhook tells nothing to answer to' }] };
  }
  if (target.kind === 'token' && (channel === undefined || channel === OWNER) && target.channel === undefined) {
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

function requestOf(target: SlackTarget, channel: string, message: object) {
  if (target.kind === 'webhook') return { url: target.url, headers: {}, body: message };
  return {
    url: slackMethod(target.apiUrl, 'chat.postMessage'),
    headers: { authorization: `Bearer ${target.token}` },
    body: { channel, ...message },
  };
}

const TRANSIENT = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout']);

interface Read {
  readonly result: EffectResult;
  /** Of the message that was posted. */
  readonly ts?: string;
}

/** The API answers 200 also when it refuses; an incoming webhook answers 200 `ok`. */
function readAnswer(target: SlackTarget, answer: HttpResponse): Read {
  if (answer.status !== 200) return { result: failedAnswer(answer) };
  if (target.kind === 'webhook') return { result: { kind: 'succeeded' } };
  let reply: { readonly ok?: unknown; readonly error?: unknown; readonly ts?: unknown };
  try {
    reply = JSON.parse(answer.body) as typeof reply;
  } catch {
    const detail = maskSecrets(answer.body.slice(0, 300));
    return { result: { kind: 'ambiguous', reason: 'bad_answer', detail } };
  }
  if (reply?.ok !== true) return { result: readRefusal(answer, reply?.error) };
  const { ts } = reply;
  if (typeof ts !== 'string' || !/^\d{1,20}\.\d{1,20}$/.test(ts)) return { result: { kind: 'succeeded', detail: '' } };
  return { result: { kind: 'succeeded', detail: `ts ${ts}` }, ts };
}

function readRefusal({ headers }: HttpResponse, written: unknown): EffectResult {
  const error = typeof written === 'string' ? written.slice(0, 100) : 'unknown answer';
  if (error === 'ratelimited' || error === 'rate_limited') {
    return { kind: 'retry', reason: 'http_429', afterMs: retryAfterMs(headers), detail: error };
  }
  if (TRANSIENT.has(error)) return { kind: 'retry', reason: 'http_5xx', detail: error };
  return { kind: 'failed', reason: 'bad_answer', detail: error };
}
