import { createHmac } from 'node:crypto';
import { systemClock } from '@eyrie/platform/clock';
import { type Connections, readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { secretShapes } from '@eyrie/platform/testing/secret-shapes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../core/owner/decision.ts';
import { type Fake, slackAnswer, slackTexts, startFake } from '../testing/fakes.ts';
import { type TestPlace, testPlace } from '../testing/place.ts';
import { createActionMemory } from './memory.ts';
import { slackMessage } from './slack-message.ts';
import { webhookPost } from './webhook-post.ts';

const SECRET = Buffer.alloc(32, 9);
const signal = new AbortController().signal;

let slack: Fake;
let hook: Fake;
let place: TestPlace;
let http: HttpClient;
let connections: Connections;

beforeEach(async () => {
  slack = await startFake(slackAnswer);
  hook = await startFake(() => ({ status: 204 }));
  place = testPlace();
  place.connections(
    `slack: {soc: {token_file: slack, api_url: "${slack.url}/api/", channel: "#alerts", network: private}}\n` +
      `webhooks: {siem: {url: "${hook.url}/in", secret_file: hook, network: private}, inner: {url: "${hook.url}/in", secret_file: hook}}\n`,
    { slack: `xoxb-${'1'.repeat(20)}`, hook: `whsec_${SECRET.toString('base64')}` },
  );
  connections = readConnections(place.connectionsFile);
  http = createHttpClient();
});
afterEach(async () => {
  await Promise.all([slack.close(), hook.close(), http.close()]);
  place.remove();
});

function call(actionner: string, connection: string, fields: Readonly<Record<string, string>>, summary = ''): Call {
  const intent = { intent_key: 'ab'.repeat(16), action: 'tell', actionner, incarnation: 'i' };
  const action = { action: 'tell', actionner, parameters: { connection }, timeoutMs: 300 };
  const context = { rule: fields['rule'] ?? 'Shell', priority: 'Notice', summary, fields };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: 'cd'.repeat(16), target: 'host:n', rule_id: 'r', at: 0 };
  return { plan: { ...plan, todo: { actions: [action], context } }, step: 0, intent, action } as unknown as Call;
}

const sendSlack = (fields: Readonly<Record<string, string>>, summary?: string) =>
  slackMessage(connections, http, createActionMemory({ clock: systemClock })).run(
    call('slack:message', 'soc', fields, summary),
    signal,
  );
const sendHook = (fields: Readonly<Record<string, string>>, connection = 'siem') =>
  webhookPost(connections, http, systemClock).run(call('webhook:post', connection, fields), signal);

describe('slack:message', () => {
  it('posts with the token and is told ok', async () => {
    expect(await sendSlack({ namespace: 'prod' })).toEqual({ kind: 'succeeded', detail: 'ts 1.2' });
    expect(slack.received[0]?.path).toBe('/api/chat.postMessage');
  });

  it('never lets event text become a mention or a link, and keeps the limits', async () => {
    const evil = '<!channel> <@U1> <https://evil|safe> &lt;!here&gt; '.repeat(400);
    expect(
      await sendSlack({ rule: evil, 'proc.cmdline': evil, 'fd.name': '\u{1f480}<'.repeat(3_000) }, evil),
    ).toMatchObject({ kind: 'succeeded' });
    for (const text of slackTexts(slack.received[0]?.body ?? '')) {
      expect(text).not.toMatch(/[<>]/);
      expect(text.replace(/&(?:amp|lt|gt);/g, '')).not.toContain('&');
    }
    // A client that reads the entities sees the text as it was.
    const shown = slackTexts(slack.received[0]?.body ?? '').map((text) =>
      text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
    );
    expect(shown.some((text) => text.includes('<!channel> <@U1> <https://evil|safe> &lt;!here&gt;'))).toBe(true);
  });

  it('tells what the answers mean', async () => {
    slack.answer({ status: 200, body: '{"ok":false,"error":"not_in_channel"}' });
    expect(await sendSlack({})).toEqual({ kind: 'failed', reason: 'bad_answer', detail: 'not_in_channel' });
    slack.answer({ status: 429, headers: { 'retry-after': '7' } });
    expect(await sendSlack({})).toMatchObject({ kind: 'retry', reason: 'http_429', afterMs: 7_000 });
    slack.answer({ status: 429, body: 'Retry later' });
    expect(await sendSlack({})).toMatchObject({ kind: 'retry', reason: 'http_429', afterMs: 60_000 });
    slack.answer({ status: 200, body: '{"ok":false,"error":"ratelimited"}' });
    expect(await sendSlack({})).toMatchObject({ kind: 'retry', reason: 'http_429' });
    slack.answer({ status: 503 });
    expect(await sendSlack({})).toMatchObject({ kind: 'retry', reason: 'http_5xx' });
    slack.answer({ status: 200, silent: true });
    expect(await sendSlack({})).toMatchObject({ kind: 'ambiguous', reason: 'timeout' });
  });
});

describe('webhook:post', () => {
  it('signs so that a receiver can verify the raw bytes, and a repeat has the same id', async () => {
    expect(await sendHook({ a: 'b' })).toEqual({ kind: 'succeeded' });
    await sendHook({ a: 'b' });
    const [first, second] = hook.received;
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = first?.headers ?? {};
    const wanted = createHmac('sha256', SECRET).update(`${id}.${timestamp}.${first?.body}`).digest('base64');
    expect(signature).toBe(`v1,${wanted}`);
    expect(second?.headers['webhook-id']).toBe(id);
    expect(second?.body).toBe(first?.body);
  });

  it('stays under 20 kB', async () => {
    const fields = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`f${i}`, 'ä'.repeat(1_000)]));
    await sendHook(fields);
    expect(Buffer.byteLength(hook.received[0]?.body ?? '')).toBeLessThan(20_000);
  });

  it('follows no redirect, and reaches no private address unless the connection says so', async () => {
    hook.answer({ status: 302, headers: { location: 'http://169.254.169.254/latest/meta-data/' } });
    expect(await sendHook({})).toMatchObject({ kind: 'failed', reason: 'redirect' });
    expect(hook.received).toHaveLength(1);
    expect(await sendHook({}, 'inner')).toMatchObject({ kind: 'failed', reason: 'address_refused' });
    expect(hook.received).toHaveLength(1);
  });

  it('repeats what may not have arrived', async () => {
    hook.answer({ status: 200, silent: true });
    expect(await sendHook({})).toMatchObject({ kind: 'ambiguous', reason: 'timeout' });
    hook.answer({ status: 500 }, { status: 410 }, { status: 429 });
    expect(await sendHook({})).toMatchObject({ kind: 'retry', reason: 'http_5xx' });
    expect(await sendHook({})).toMatchObject({ kind: 'failed', reason: 'http_4xx' });
    expect(await sendHook({})).toMatchObject({ kind: 'retry', reason: 'http_429' });
  });
});

it('lets none of 500 secrets in event text out to Slack or a web hook', async () => {
  const shapes = secretShapes(500, 7);
  for (const { text } of shapes) {
    const [hooked, posted] = await Promise.all([
      sendHook({ 'proc.cmdline': text }),
      sendSlack({ command_line: text }, text),
    ]);
    expect([hooked.kind, posted.kind]).toEqual(['succeeded', 'succeeded']);
  }
  // Found after decoding the JSON, in any text, whole or half.
  const out = (fake: Fake) => fake.received.map(({ body }) => slackTexts(body).join('\n'));
  for (const bodies of [out(hook), out(slack)]) {
    expect(bodies).toHaveLength(500);
    expect(
      shapes.filter(({ secret }, i) => bodies[i]?.includes(secret.slice(0, Math.max(8, secret.length / 2)))),
    ).toEqual([]);
  }
});
