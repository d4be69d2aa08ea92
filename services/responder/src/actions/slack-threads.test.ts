import type { Clock } from '@eyrie/platform/clock';
import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { createMetrics, type Metrics } from '@eyrie/platform/metrics';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Call } from '../core/owner/decision.ts';
import { type Fake, startFake } from '../testing/fakes.ts';
import { type TestPlace, testPlace } from '../testing/place.ts';
import { fakeSlack } from '../testing/slack-channel.ts';
import type { Action } from './action.ts';
import { createActionMemory } from './memory.ts';
import { slackMessage } from './slack-message.ts';
import { SlackThreads } from './slack-threads.ts';

const HOUR = 3_600_000;
let slack: ReturnType<typeof fakeSlack>;
let fake: Fake;
let place: TestPlace;
let http: HttpClient;
let action: Action;
let metrics: Metrics;
let now: number;
const clock: Clock = { now: () => now, sleep: async () => undefined };

beforeEach(async () => {
  now = 1_000;
  slack = fakeSlack(['#alerts', '#other']);
  fake = await startFake(slack.answer);
  place = testPlace();
  place.connections(
    `slack:\n  soc: {token_file: token, api_url: "${fake.url}/api/", channel: "#alerts", network: private}\n  hook: {webhook_url_file: hook}\n`,
    { token: 'xoxb-1', hook: `${fake.url}/hook` },
  );
  http = createHttpClient();
  metrics = createMetrics();
  action = slackMessage(readConnections(place.connectionsFile), http, createActionMemory({ clock, metrics }));
});
afterEach(async () => {
  await Promise.all([fake.close(), http.close()]);
  place.remove();
});

interface Options {
  readonly workload?: string;
  readonly rule?: string;
  readonly priority?: string;
  readonly parameters?: object;
}

function run({ workload = 'web', rule = 'Shell', priority = 'Notice', parameters = {} }: Options = {}) {
  const written = { action: 'tell', parameters: { connection: 'soc', ...parameters }, timeoutMs: 300 };
  const context = { rule, priority, summary: '', fields: { namespace: 'shop', workload } };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: 'a', target: 'pod-1', rule_id: 'r', at: 0 };
  const intent = { intent_key: 'ab'.repeat(16), action: 'tell' };
  const call = { plan: { ...plan, todo: { actions: [written], context } }, intent, action: written } as unknown as Call;
  return action.run(call, new AbortController().signal);
}

const threads = () => slack.posted.map(({ thread_ts }) => slack.posted.findIndex(({ ts }) => ts === thread_ts));

it('what occurs again answers the first message, in its channel alone', async () => {
  for (const options of [
    {},
    {},
    { workload: 'db' },
    { rule: 'Miner' },
    { parameters: { channel: '#other' } },
    { parameters: { channel: '#other' } },
    { workload: 'db' },
    { parameters: { thread: false } },
  ]) {
    expect(await run(options)).toMatchObject({ kind: 'succeeded' });
  }
  expect(threads()).toEqual([-1, 0, -1, -1, -1, 4, 2, -1]);
});

it('what is more severe than all before also stands in the channel, once', async () => {
  for (const priority of ['Notice', 'Debug', 'Critical', 'Critical', 'Emergency']) await run({ priority });
  expect(slack.posted.map(({ reply_broadcast }) => reply_broadcast === true)).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

it('a day later there is a new first message', async () => {
  await run();
  now += 23 * HOUR;
  await run();
  now += HOUR;
  await run();
  await run();
  expect(threads()).toEqual([-1, 0, -1, 2]);
});

it('a first message that is gone costs one try', async () => {
  await run();
  slack.posted.length = 0;
  expect(await run()).toMatchObject({ kind: 'retry', reason: 'bad_answer', detail: 'thread_not_found' });
  expect(await run()).toMatchObject({ kind: 'succeeded' });
  expect(threads()).toEqual([-1]);
});

it('a message that did not arrive is no first one', async () => {
  fake.answer(
    { status: 500 },
    { status: 429, body: 'Retry later' },
    { status: 200, body: '{"ok":false,"error":"is_archived"}' },
  );
  expect(await run()).toMatchObject({ kind: 'retry', reason: 'http_5xx' });
  expect(await run()).toMatchObject({ kind: 'retry', reason: 'http_429', afterMs: 60_000 });
  expect(await run()).toMatchObject({ kind: 'failed', reason: 'bad_answer' });
  await run();
  await run();
  expect(threads()).toEqual([-1, 0]);
});

it('a ts that is none is not remembered', async () => {
  fake.answer({ status: 200, body: '{"ok":true,"ts":"<!channel>"}' });
  expect(await run()).toEqual({ kind: 'succeeded', detail: '' });
  await run();
  expect(threads()).toEqual([-1]);
});

it('an incoming webhook has no threads', async () => {
  expect(action.check({ connection: 'hook' })).toMatchObject({ ok: true });
  expect(action.check({ connection: 'hook', thread: true })).toMatchObject({
    ok: false,
    problems: [{ field: 'thread' }],
  });
});

it('the last 1,000 subjects are remembered, and the bound is counted', async () => {
  const { threads: memory } = createActionMemory({ clock, metrics });
  for (let i = 0; i < 1_000; i += 1) memory.told(`k${i}`, '1.1', 'Notice');
  memory.told('k0', '1.2', 'Notice');
  memory.told('more', '1.1', 'Notice');
  expect([memory.of('k0', 'Debug'), memory.of('k1', 'Debug')]).toEqual([{ thread_ts: '1.1' }, {}]);
  expect(await metrics.read('eyrie_bound_reached_total')).toEqual([[{ bound: 'responder_slack_threads' }, 1]]);
  expect(new SlackThreads(clock, () => undefined).of('k0', 'Debug')).toEqual({});
});
