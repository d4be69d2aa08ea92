import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { secretShapes } from '@eyrie/platform/testing/secret-shapes';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Call } from '../core/owner/decision.ts';
import { type Answer, type Fake, type Received, startFake } from '../testing/fakes.ts';
import { type TestPlace, testPlace } from '../testing/place.ts';
import { pagerdutyEvent } from './pagerduty-event.ts';

const KEY = 'a1'.repeat(16);
let fake: Fake;
let place: TestPlace;
let http: HttpClient;

/** As the Events API v2 documents it. */
function pagerduty({ body }: Received): Answer {
  const refuse = (...errors: string[]): Answer => ({
    status: 400,
    body: JSON.stringify({ status: 'invalid event', errors }),
  });
  if (Buffer.byteLength(body) > 512 * 1024) return refuse('too large');
  const { routing_key: key, event_action: action, dedup_key: dedup = '', payload } = JSON.parse(body);
  if (key !== KEY) return refuse('routing_key is invalid');
  if (action !== 'trigger' || dedup.length > 255) return refuse('event_action or dedup_key');
  if (!['critical', 'error', 'warning', 'info'].includes(payload.severity)) return refuse('severity');
  if (payload.summary.length > 1_024 || payload.summary === '' || payload.source === '')
    return refuse('summary or source');
  return { status: 202, body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: dedup }) };
}

beforeEach(async () => {
  fake = await startFake(pagerduty);
  place = testPlace();
  place.connections(`pagerduty: {soc: {url: "${fake.url}/v2/enqueue", routing_key_file: key, network: private}}\n`, {
    key: KEY,
  });
  http = createHttpClient();
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
}

function run({ alert = 'a', rule = 'Shell', priority = 'Error', summary = '', fields = {} }: Options = {}) {
  const action = { action: 'page', actionner: 'pagerduty:event', parameters: { connection: 'soc' }, timeoutMs: 300 };
  const context = { rule, priority, summary, fields: { namespace: 'shop', workload: 'web', ...fields } };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: alert, target: 'pod-1', rule_id: 'r', at: 0 };
  const intent = { intent_key: alert.repeat(32), action: 'page' };
  const call = { plan: { ...plan, todo: { actions: [action], context } }, intent, action } as unknown as Call;
  return pagerdutyEvent(readConnections(place.connectionsFile), http).run(call, new AbortController().signal);
}

const sent = () => fake.received.map(({ body }) => JSON.parse(body));

it('one incident for a rule at a workload, whichever alert, and another for another', async () => {
  for (const options of [
    { alert: 'a' },
    { alert: 'b' },
    { alert: 'c', rule: 'Miner' },
    { fields: { workload: 'db' } },
  ]) {
    expect(await run(options)).toEqual({ kind: 'succeeded' });
  }
  const keys = sent().map(({ dedup_key }) => dedup_key);
  expect(keys[0]).toBe(keys[1]);
  expect(new Set(keys).size).toBe(3);
  expect(sent()[0].payload).toMatchObject({ severity: 'error', component: 'web', group: 'shop' });
});

it('every priority has a severity, and what is too long is cut', async () => {
  for (const priority of ['Emergency', 'Alert', 'Critical', 'Error', 'Warning', 'Notice', 'Informational', 'Debug']) {
    expect(await run({ priority })).toEqual({ kind: 'succeeded' });
  }
  expect(sent().map(({ payload }) => payload.severity)).toEqual([
    'critical',
    'critical',
    'critical',
    'error',
    'warning',
    'info',
    'info',
    'info',
  ]);
  const fields = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f.${i}`, 'x'.repeat(1_000)]));
  expect(await run({ rule: 'x'.repeat(5_000), fields })).toEqual({ kind: 'succeeded' });
});

it.each<[string, Answer, object]>([
  ['400', { status: 400, body: '{"status":"invalid event"}' }, { kind: 'failed', reason: 'http_4xx' }],
  ['429', { status: 429 }, { kind: 'retry', reason: 'http_429' }],
  ['500', { status: 500 }, { kind: 'retry', reason: 'http_5xx' }],
  ['no answer', { status: 202, silent: true }, { kind: 'ambiguous', reason: 'timeout' }],
])('%s', async (_, answer, expected) => {
  fake.answer(answer);
  expect(await run()).toMatchObject(expected);
});

it('secrets in event text are masked', async () => {
  for (const { text, secret } of secretShapes(40, 1)) {
    await run({ summary: text, fields: { 'proc.cmdline': text } });
    expect(fake.received.at(-1)?.body, text).not.toContain(secret);
  }
});
