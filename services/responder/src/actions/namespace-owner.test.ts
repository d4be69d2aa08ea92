import type { Clock } from '@eyrie/platform/clock';
import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { createMetrics, type Metrics } from '@eyrie/platform/metrics';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Call } from '../core/owner/decision.ts';
import { type Fake, startFake } from '../testing/fakes.ts';
import { fakeGitlab, GITLAB_TOKEN } from '../testing/gitlab.ts';
import { FAKE_TOKEN, type FakeKubernetes, fakeKubernetes } from '../testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from '../testing/place.ts';
import { fakeSlack } from '../testing/slack-channel.ts';
import type { Action } from './action.ts';
import { gitlabIssue } from './gitlab/issue.ts';
import { createActionMemory } from './memory.ts';
import { slackMessage } from './slack-message.ts';

const MINUTE = 60_000;
let api: FakeKubernetes;
let slack: ReturnType<typeof fakeSlack>;
let gitlab: ReturnType<typeof fakeGitlab>;
let fakes: readonly Fake[];
let place: TestPlace;
let http: HttpClient;
let metrics: Metrics;
let tell: Action;
let ticket: Action;
let now: number;
const clock: Clock = { now: () => now, sleep: async () => undefined };

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(() => api.close());
beforeEach(async () => {
  now = 1_000;
  api.reset();
  slack = fakeSlack(['#soc', '#shop', '#evil']);
  gitlab = fakeGitlab('shop/web');
  const [chat, issues] = [await startFake(slack.answer), await startFake(gitlab.answer)];
  fakes = [chat, issues];
  place = testPlace();
  place.connections(
    `slack: {soc: {token_file: slack, api_url: "${chat.url}/", channel: "#soc", channels: ["#shop"], network: private}}\n` +
      `gitlab: {main: {url: "${issues.url}", token_file: gitlab, project: sec/triage, projects: [shop/web], network: private}}\n` +
      `clusters: [{cluster: lab, server: "${api.server}", ca_file: ca.pem, token_file: token}]\n`,
    { slack: 'xoxb-1', gitlab: GITLAB_TOKEN, 'ca.pem': api.ca, token: FAKE_TOKEN },
  );
  const connections = readConnections(place.connectionsFile);
  http = createHttpClient();
  metrics = createMetrics();
  const memory = createActionMemory({ clock, metrics });
  tell = slackMessage(connections, http, memory);
  ticket = gitlabIssue(connections, http, memory.owners);
});
afterEach(async () => {
  await Promise.all([...fakes.map((fake) => fake.close()), http.close()]);
  place.remove();
});

function annotate(namespace: string, annotations?: Readonly<Record<string, unknown>>): void {
  const metadata = { name: namespace, uid: 'u', resourceVersion: '1', ...(annotations && { annotations }) };
  api.objects.set(`/api/v1/namespaces/${namespace}`, { metadata });
}

interface Options {
  readonly namespace?: string | undefined;
  readonly cluster?: string;
  readonly tenant?: string;
}

function run(
  action: Action,
  written: object,
  { namespace = 'shop', cluster = 'lab', tenant = 'default' }: Options = {},
) {
  const checked = action.check(written as Readonly<Record<string, unknown>>);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const one = { action: 'tell', parameters: checked.parameters, timeoutMs: 1_000 };
  const context = { rule: 'Shell', priority: 'Notice', summary: '', fields: { namespace, workload: 'web' } };
  const plan = { tenant, cluster, alert_id: 'a', target: 'pod-1', rule_id: 'r', at: 0 };
  const intent = { intent_key: 'ab'.repeat(16), action: 'tell' };
  const call = { plan: { ...plan, todo: { actions: [one], context } }, intent, action: one } as unknown as Call;
  return action.run(call, new AbortController().signal);
}

const toOwner = (options?: Options) => run(tell, { connection: 'soc', channel: 'owner', thread: false }, options);
const channels = () => slack.posted.map(({ channel }) => channel);
const unresolved = async () =>
  Object.fromEntries(
    (await metrics.read('eyrie_owner_unresolved_total')).map(([{ reason }, count]) => [reason, count]),
  );

it('a message and an issue go where the namespace says, if the connection lists it', async () => {
  annotate('shop', { 'eyrie.dev/slack-channel': '#shop', 'eyrie.dev/gitlab-project': 'shop/web' });
  expect(await toOwner()).toMatchObject({ kind: 'succeeded' });
  expect(await run(ticket, { connection: 'main', project: 'owner' })).toMatchObject({ kind: 'succeeded' });
  expect(channels()).toEqual(['#shop']);
  expect(gitlab.issues).toHaveLength(1);
  expect(await unresolved()).toEqual({});
});

it('what is not listed, or is no name, goes to the own place of the connection, and is counted', async () => {
  annotate('evil', { 'eyrie.dev/slack-channel': '#evil' });
  annotate('odd', { 'eyrie.dev/slack-channel': 7 });
  annotate('bare');
  annotate('proto', { __proto__: '#shop', 'example.com/slack-channel': '#shop' });
  for (const namespace of ['evil', 'odd', 'bare', 'gone', 'proto', '', '../../secrets', 'SHOP']) {
    expect(await toOwner({ namespace })).toMatchObject({ kind: 'succeeded' });
  }
  await toOwner({ cluster: 'other' });
  await toOwner({ tenant: 'other' });
  expect(new Set(channels())).toEqual(new Set(['#soc']));
  expect(await unresolved()).toEqual({ not_listed: 1, no_annotation: 4, no_namespace: 3, no_connection: 2 });
  expect(api.asked.map(({ path }) => path)).toEqual(
    ['evil', 'odd', 'bare', 'gone', 'proto'].map((name) => `/api/v1/namespaces/${name}`),
  );
});

it('a namespace is asked for once in five minutes', async () => {
  annotate('shop', { 'eyrie.dev/slack-channel': '#shop' });
  await toOwner();
  annotate('shop', {});
  now += 5 * MINUTE - 1;
  await toOwner();
  now += 1;
  await toOwner();
  expect(channels()).toEqual(['#shop', '#shop', '#soc']);
  expect(api.asked).toHaveLength(2);
});

it.each([0, 403, 429, 500])(
  'an API server that answers %i holds up nothing, and is asked again 30 s later',
  async (fault) => {
    annotate('shop', { 'eyrie.dev/slack-channel': '#shop' });
    api.fault = fault;
    await toOwner();
    api.fault = undefined;
    await toOwner();
    now += 30_000;
    await toOwner();
    expect(channels()).toEqual(['#soc', '#soc', '#shop']);
    expect(await unresolved()).toEqual({ unreadable: 2 });
  },
);

it('1,000 namespaces are remembered, and the bound is counted', async () => {
  for (let i = 0; i <= 1_000; i += 1) await toOwner({ namespace: `n${i}` });
  expect(await metrics.read('eyrie_bound_reached_total')).toEqual([[{ bound: 'responder_owner_namespaces' }, 1]]);
  await toOwner({ namespace: 'n1000' });
  expect(api.asked).toHaveLength(1_001);
  await toOwner({ namespace: 'n0' });
  expect(api.asked).toHaveLength(1_002);
});

it('without a place of its own, or a cluster, a connection takes no rule for owners', () => {
  place.connections(
    `slack:\n  bare: {token_file: slack, channels: ["#shop"]}\n  soc: {token_file: slack, channel: "#soc"}\n  hook: {webhook_url_file: hook}\n` +
      'gitlab: {main: {url: "https://x", token_file: slack, projects: [shop/web]}}\n' +
      `clusters: [{cluster: lab, server: "https://x", token_file: slack}]\n`,
    { slack: 'xoxb-1', hook: 'https://x/y' },
  );
  const connections = readConnections(place.connectionsFile);
  const memory = createActionMemory({ clock });
  const check = (given: typeof connections, connection: string) =>
    slackMessage(given, http, memory).check({ connection, channel: 'owner' });
  expect(check(connections, 'soc')).toMatchObject({ ok: true });
  expect(check(connections, 'bare')).toMatchObject({ ok: false, problems: [{ field: 'channel' }] });
  expect(check(connections, 'hook')).toMatchObject({ ok: false, problems: [{ field: 'channel' }] });
  expect(check({ ...connections, clusters: new Map() }, 'soc')).toMatchObject({ ok: false });
  const issue = gitlabIssue(connections, http, memory.owners).check({ connection: 'main', project: 'owner' });
  expect(issue).toMatchObject({ ok: false, problems: [{ field: 'project' }] });
});
