import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { secretShapes } from '@eyrie/platform/testing/secret-shapes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Call } from '../core/owner/decision.ts';
import { type Answer, type Fake, slackTexts, startFake } from '../testing/fakes.ts';
import { falcosidekickAnswer } from '../testing/falcosidekick.ts';
import { type TestPlace, testPlace } from '../testing/place.ts';
import { falcosidekickForward } from './falcosidekick-forward.ts';

let fake: Fake;
let place: TestPlace;
let http: HttpClient;

beforeEach(async () => {
  fake = await startFake(falcosidekickAnswer);
  place = testPlace();
  place.connections(
    `falcosidekick: {main: {url: "${fake.url}", network: private}, proxied: {url: "${fake.url}/", token_file: token, network: private},` +
      ` headed: {url: "${fake.url}/", headers_file: headers, network: private}}\n`,
    { token: 'proxy-token', headers: 'X-Scope-OrgID: sec\nX-Key: a b\n' },
  );
  http = createHttpClient();
});
afterEach(async () => {
  await Promise.all([fake.close(), http.close()]);
  place.remove();
});

interface Options {
  readonly alert?: string;
  readonly summary?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly connection?: string;
  readonly priority?: string;
}

function run({
  alert = 'a',
  summary = 'A shell',
  fields = {},
  connection = 'main',
  priority = 'Notice',
}: Options = {}) {
  const action = { action: 'tell', actionner: 'falcosidekick:forward', parameters: { connection }, timeoutMs: 300 };
  const context = { rule: 'Shell', priority, summary, fields };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: alert, target: 'pod-1', rule_id: 'r', at: 1_000 };
  const intent = { intent_key: alert.repeat(32), action: 'tell' };
  const call = { plan: { ...plan, todo: { actions: [action], context } }, intent, action } as unknown as Call;
  return falcosidekickForward(readConnections(place.connectionsFile), http).run(call, new AbortController().signal);
}

const last = () => JSON.parse(fake.received.at(-1)?.body ?? '{}');

it('what arrives is the event, field for field; columns of ours fill in what the sensor left out', async () => {
  const fields = {
    source: 'syscall',
    host: 'node-1',
    time: '1732700000123456789',
    tags: '["container","T1059"]',
    namespace: 'shop',
    pod: 'web-0',
    fp_score: 0.2,
    'proc.name': 'bash',
    'fd.rport': 443,
    'k8s.pod.name': 7,
  };
  expect(await run({ fields })).toEqual({ kind: 'succeeded' });
  expect(last()).toEqual({
    uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    output: 'A shell',
    priority: 'Notice',
    rule: 'Shell',
    time: '2024-11-27T09:33:20.123456789Z',
    source: 'syscall',
    hostname: 'node-1',
    tags: ['container', 'T1059', 'eyrie_forwarded'],
    output_fields: { 'k8s.ns.name': 'shop', 'k8s.pod.name': '7', 'proc.name': 'bash', 'fd.rport': 443 },
  });
});

it('is taken even where next to nothing is known', async () => {
  for (const priority of ['Emergency', 'Informational', 'Debug']) {
    expect(await run({ summary: '', fields: { tags: '["cut…' }, priority })).toEqual({ kind: 'succeeded' });
  }
  // The other side does refuse: without fields an event is none.
  const { output_fields: _, ...rest } = last();
  const bare = { method: 'POST', path: '/', headers: {}, at: 0, body: JSON.stringify({ ...rest, output_fields: {} }) };
  expect(falcosidekickAnswer(bare).status).toBe(400);
});

it('a repeat has the same uuid, another intent another one', async () => {
  for (const alert of ['a', 'a', 'b']) await run({ alert });
  const uuids = fake.received.map(({ body }) => JSON.parse(body).uuid);
  expect(uuids[1]).toBe(uuids[0]);
  expect(uuids[2]).not.toBe(uuids[0]);
});

it('headers of a proxy come from files', async () => {
  await run({ connection: 'proxied' });
  expect(fake.received[0]?.headers['authorization']).toBe('Bearer proxy-token');
  await run({ connection: 'headed' });
  expect(fake.received[1]?.headers).toMatchObject({ 'x-scope-orgid': 'sec', 'x-key': 'a b' });
});

it.each(['Host: other', 'no colon', 'X: a\nx: b', 'Content-Length: 1', 'X-A: ä'])(
  'a file of headers may not hold %j',
  (text) => {
    place.connections(`falcosidekick: {main: {url: "${fake.url}", headers_file: headers}}\n`, { headers: text });
    expect(() => readConnections(place.connectionsFile)).toThrow(/headers_file/);
  },
);

it('what comes back goes no second round', async () => {
  await run({ fields: { tags: '["container"]' } });
  const tags = JSON.stringify(last().tags);
  expect(await run({ fields: { tags } })).toMatchObject({ kind: 'succeeded', reason: 'forwarded_before' });
  expect(fake.received).toHaveLength(1);
});

it('stays under 32 kB and whole', async () => {
  const fields = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`f.${i}`, '\u{1f480}'.repeat(500)]));
  expect(await run({ fields })).toEqual({ kind: 'succeeded' });
  expect(Buffer.byteLength(fake.received[0]?.body ?? '')).toBeLessThan(32_768);
});

it.each<[string, Answer, object]>([
  ['400', { status: 400 }, { kind: 'failed', reason: 'http_4xx' }],
  ['401 of a proxy', { status: 401 }, { kind: 'failed', reason: 'http_4xx' }],
  ['429 without headers', { status: 429, body: 'Retry later' }, { kind: 'retry', reason: 'http_429', afterMs: 60_000 }],
  ['502', { status: 502 }, { kind: 'retry', reason: 'http_5xx' }],
  [
    'a redirect',
    { status: 302, headers: { location: 'http://169.254.169.254/' } },
    { kind: 'failed', reason: 'redirect' },
  ],
  ['no answer', { status: 200, silent: true }, { kind: 'ambiguous', reason: 'timeout' }],
  ['a lost answer', { status: 200, lost: true }, { kind: 'ambiguous', reason: 'network' }],
])('%s', async (_, answer, expected) => {
  fake.answer(answer);
  expect(await run()).toMatchObject(expected);
});

it('secrets are masked in output, fields and tags; text of an event stays text', async () => {
  for (const { text, secret } of secretShapes(200, 3)) {
    await run({ summary: text, fields: { 'proc.cmdline': text, command_line: text, tags: JSON.stringify([text]) } });
    expect(slackTexts(fake.received.at(-1)?.body ?? '').join('\n'), text).not.toContain(secret);
  }
  const evil = '"},"rule":"Other\u0000\r\n\r\nPOST / HTTP/1.1';
  expect(await run({ summary: evil, fields: { 'proc.name': evil } })).toEqual({ kind: 'succeeded' });
  expect(last()).toMatchObject({ rule: 'Shell', output: evil, output_fields: { 'proc.name': evil } });
});
