import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { secretShapes } from '@eyrie/platform/testing/secret-shapes';
import { PRIORITIES } from '@eyrie/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../core/owner/decision.ts';
import { type Answer, type Fake, startFake } from '../../testing/fakes.ts';
import { ALERT_KEY, ALERT_PATH, fakeGitlabAlerts } from '../../testing/gitlab-alerts.ts';
import { acted, EVIL } from '../../testing/gitlab-markdown.ts';
import { type TestPlace, testPlace } from '../../testing/place.ts';
import type { Action } from '../action.ts';
import { gitlabAlert } from './alert.ts';

let gitlab: ReturnType<typeof fakeGitlabAlerts>;
let fake: Fake;
let place: TestPlace;
let http: HttpClient;
let action: Action;

beforeEach(async () => {
  gitlab = fakeGitlabAlerts();
  fake = await startFake(gitlab.answer);
  place = testPlace();
  place.connections(`gitlab_alerts: {main: {url: "${fake.url}${ALERT_PATH}", key_file: key, network: private}}\n`, {
    key: `${ALERT_KEY}\n`,
  });
  http = createHttpClient();
  action = gitlabAlert(readConnections(place.connectionsFile), http);
});
afterEach(async () => {
  await Promise.all([fake.close(), http.close()]);
  place.remove();
});

interface Options {
  readonly alert?: string;
  readonly rule?: string;
  readonly priority?: string;
  readonly summary?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly environment?: string;
}

function run(options: Options = {}) {
  const { alert = 'a', rule = 'Shell', priority = 'Warning', summary = '', fields = {}, environment } = options;
  const parameters = { connection: 'main', ...(environment !== undefined && { environment }) };
  const written = { action: 'raise', actionner: 'gitlab:alert', parameters, timeoutMs: 300 };
  const known = { namespace: 'shop', workload: 'web', host: 'node-1', time: '1732700000123456789', ...fields };
  const context = { rule, priority, summary, fields: known };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: alert, target: 'pod-1', rule_id: 'r', at: 0 };
  const intent = { intent_key: alert.repeat(32), action: 'raise' };
  const call = { plan: { ...plan, todo: { actions: [written], context } }, intent, action: written } as unknown as Call;
  return action.run(call, new AbortController().signal);
}

it('one alert for a rule at a workload, counted on while it is unresolved', async () => {
  expect(await run({ environment: 'production' })).toEqual({ kind: 'succeeded', detail: '^alert#1' });
  expect(gitlab.alerts[0]).toMatchObject({
    title: 'Warning: Shell in shop/web (lab)',
    severity: 'medium',
    started_at: '2024-11-27T09:33:20.123456789Z',
    service: 'web',
    hosts: ['node-1'],
    environment: 'production',
  });
  expect(gitlab.alerts[0]?.description).toContain('**Detection:** ` Shell `');
  await run({ alert: 'b' });
  expect(await run({ alert: 'c', fields: { workload: 'db' } })).toMatchObject({ detail: '^alert#2' });
  await run({ rule: 'Miner' });
  expect(gitlab.alerts.map(({ events }) => events)).toEqual([2, 1, 1]);
  Object.assign(gitlab.alerts[0] as object, { status: 'resolved' });
  expect(await run({ alert: 'd' })).toMatchObject({ detail: '^alert#4' });
});

it('each priority has a severity of its own; one that is not known is unknown, never critical', async () => {
  for (const priority of [...PRIORITIES, 'Loud']) await run({ priority, rule: priority });
  const severities = ['critical', 'critical', 'critical', 'high', 'medium', 'low', 'info', 'info', 'unknown'];
  expect(gitlab.alerts.map(({ severity }) => severity)).toEqual(severities);
});

it('a lost answer leaves one alert', async () => {
  fake.answer({ status: 0, lost: true });
  expect(await run()).toMatchObject({ kind: 'ambiguous', reason: 'network' });
  expect(await run()).toEqual({ kind: 'succeeded', detail: '^alert#1' });
  expect(gitlab.alerts).toHaveLength(1);
});

it.each<[string, Answer, object]>([
  ['429 without headers', { status: 429, body: 'Retry later' }, { kind: 'retry', reason: 'http_429', afterMs: 60_000 }],
  ['500', { status: 500 }, { kind: 'retry', reason: 'http_5xx' }],
  ['401', { status: 401 }, { kind: 'failed', reason: 'http_4xx' }],
  ['404', { status: 404 }, { kind: 'failed', reason: 'http_4xx' }],
  ['a redirect', { status: 302, headers: { location: 'http://x' } }, { kind: 'failed', reason: 'redirect' }],
  ['no answer', { status: 200, silent: true }, { kind: 'ambiguous', reason: 'timeout' }],
  ['200 that says nothing', { status: 200, body: '<html>' }, { kind: 'succeeded' }],
])('%s', async (_, answer, expected) => {
  fake.answer(answer);
  expect(await run()).toMatchObject(expected);
});

it('a connection nobody made, and an environment that is none, are refused when the rule is read', () => {
  expect(action.check({ connection: 'main', environment: 'review/a-1' })).toMatchObject({ ok: true });
  expect(action.check({ connection: 'none' })).toMatchObject({ ok: false, problems: [{ field: 'connection' }] });
  expect(action.check({ connection: 'main', environment: 'a\n/close' })).toMatchObject({ ok: false });
});

describe('text of attackers', () => {
  const everywhere = (text: string) => ({
    alert: 'e',
    rule: text,
    summary: text,
    fields: { workload: text, namespace: text, host: text, command_line: text, file_name: text },
  });

  it.each(EVIL)('%j does nothing in an incident made of the alert, however long it is', async (evil) => {
    for (const text of [evil, evil.repeat(100)]) await run(everywhere(text));
    for (const { incident, title } of gitlab.alerts) {
      expect(acted(incident)).toEqual([]);
      expect(title).not.toMatch(/[\r\n\u2028\u2029\u202e]/);
    }
    // GitLab cut nothing: a span of code that is cut is none.
    for (const { body } of fake.received) expect(JSON.parse(body).description.length).toBeLessThanOrEqual(1_000);
  });

  it('of secrets is masked', async () => {
    for (const { text, secret } of secretShapes(200, 5)) {
      await run({ rule: text, summary: text, fields: { command_line: text, host: text, workload: text } });
      expect(fake.received.at(-1)?.body, text).not.toContain(secret);
    }
  });
});
