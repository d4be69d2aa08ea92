import { systemClock } from '@eyrie/platform/clock';
import { readConnections } from '@eyrie/platform/connections';
import { createHttpClient, type HttpClient } from '@eyrie/platform/http-client';
import { secretShapes } from '@eyrie/platform/testing/secret-shapes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../core/owner/decision.ts';
import { type Answer, type Fake, startFake } from '../../testing/fakes.ts';
import { fakeGitlab, GITLAB_TOKEN } from '../../testing/gitlab.ts';
import { acted, EVIL } from '../../testing/gitlab-markdown.ts';
import { type TestPlace, testPlace } from '../../testing/place.ts';
import type { Action } from '../action.ts';
import { createActionMemory } from '../memory.ts';
import { gitlabIssue } from './issue.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 27);
let gitlab: ReturnType<typeof fakeGitlab>;
let fake: Fake;
let place: TestPlace;
let http: HttpClient;
let action: Action;

beforeEach(async () => {
  gitlab = fakeGitlab();
  fake = await startFake(gitlab.answer);
  place = testPlace();
  place.connections(
    `gitlab: {main: {url: "${fake.url}", token_file: token, project: sec/triage, projects: [sec/other], network: private}}\n`,
    { token: GITLAB_TOKEN },
  );
  http = createHttpClient();
  action = gitlabIssue(readConnections(place.connectionsFile), http, createActionMemory({ clock: systemClock }).owners);
});
afterEach(async () => {
  await Promise.all([fake.close(), http.close()]);
  place.remove();
});

interface Options {
  readonly alert?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly summary?: string;
  readonly rule?: string;
  readonly parameters?: object;
  readonly at?: number;
}

function aCall(options: Options = {}): Call {
  const { alert = 1, fields = {}, summary = '', rule = 'Shell', parameters = {}, at = NOW } = options;
  const checked = action.check({ connection: 'main', ...parameters });
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const intent = {
    intent_key: String(alert).padStart(32, 'a'),
    action: 'ticket',
    actionner: 'gitlab:issue',
    attempt: 1,
  };
  const known = { namespace: 'shop', workload: 'web', workload_kind: 'Deployment', ...fields };
  const context = { rule, priority: 'Warning', summary, fields: known };
  const written = { action: 'ticket', actionner: 'gitlab:issue', parameters: checked.parameters, timeoutMs: 500 };
  const plan = { tenant: 'default', cluster: 'lab', alert_id: `alert-${alert}`, target: 'pod-1', rule_id: 'r', at };
  return { plan: { ...plan, todo: { actions: [written], context } }, intent, action: written } as unknown as Call;
}

const run = (options: Options = {}) => action.run(aCall(options), new AbortController().signal);
const LOST: Answer = { status: 0, lost: true };

describe('an issue', () => {
  it('is opened once for an alert, confidential, with labels and where it came from', async () => {
    const result = await run({ parameters: { labels: ['triage'] }, fields: { 'proc.name': 'bash' } });
    expect(result).toEqual({ kind: 'succeeded', detail: '#1 https://gitlab.example/sec/triage/-/issues/1' });
    const [issue] = gitlab.issues;
    expect(issue).toMatchObject({ confidential: true, labels: ['eyrie', 'triage'], issue_type: 'issue' });
    expect(issue?.title).toBe('Warning: Shell in shop/web (lab)');
    expect(issue?.description).toContain('- ` proc.name `: ` bash `');
    expect(await run()).toMatchObject({ kind: 'succeeded' });
    expect(gitlab.issues).toHaveLength(1);
    expect(issue?.notes).toEqual([]);
  });

  it('whose answer is lost is found again, not opened twice', async () => {
    // The look is answered, the opening is done and its answer lost.
    fake.answer({ status: 200, body: '[]' }, LOST);
    expect(await run()).toMatchObject({ kind: 'ambiguous', reason: 'network' });
    expect(await run()).toMatchObject({ kind: 'succeeded' });
    expect(gitlab.issues).toHaveLength(1);
  });

  it('that occurs again gets one note, which grows, and counts each alert once', async () => {
    for (const alert of [1, 2, 3, 3, 4]) expect(await run({ alert })).toMatchObject({ kind: 'succeeded' });
    expect(gitlab.issues).toHaveLength(1);
    expect(gitlab.issues[0]?.notes).toHaveLength(1);
    const body = gitlab.issues[0]?.notes[0]?.body ?? '';
    expect(body).toMatch(/^\*\*Occurred again\*\*, 3 ×/);
    expect([...body.matchAll(/alert-(\d)/g)].map(([, n]) => n)).toEqual(['4', '3', '2']);
  });

  it('whose note is lost on the way is counted once', async () => {
    await run({ alert: 1 });
    const issues = JSON.stringify(gitlab.issues);
    fake.answer({ status: 200, body: issues }, { status: 200, body: '[]' }, LOST);
    expect(await run({ alert: 2 })).toMatchObject({ kind: 'ambiguous' });
    expect(await run({ alert: 2 })).toMatchObject({ kind: 'succeeded' });
    expect(gitlab.issues[0]?.notes.map(({ body }) => /, (\d+) ×/.exec(body)?.[1])).toEqual(['1']);
  });

  it('is another one for another workload or rule, and for the same alert of another tenant', async () => {
    await run({ alert: 1 });
    await run({ alert: 2, fields: { workload: 'db' } });
    await run({ alert: 3, rule: 'Miner' });
    expect(gitlab.issues).toHaveLength(3);
  });

  it('closed lately is opened again; closed long ago a new one is opened', async () => {
    await run({ alert: 1 });
    const [issue] = gitlab.issues;
    Object.assign(issue as object, { state: 'closed', closed_at: new Date(NOW - 2 * DAY).toISOString() });
    await run({ alert: 2 });
    expect([issue?.state, issue?.notes.length, gitlab.issues.length]).toEqual(['opened', 1, 1]);
    Object.assign(issue as object, { state: 'closed', closed_at: new Date(NOW - 8 * DAY).toISOString() });
    await run({ alert: 3 });
    expect([issue?.state, gitlab.issues.length]).toEqual(['closed', 2]);
  });

  it('of somebody else that only mentions our lines is not ours', async () => {
    await run({ alert: 1 });
    const [issue] = gitlab.issues;
    Object.assign(issue as object, { description: (issue?.description ?? '').replaceAll('eyrie-', 'see eyrie-') });
    await run({ alert: 2 });
    expect(gitlab.issues).toHaveLength(2);
  });
});

describe('what the answers mean', () => {
  it.each<[string, Answer, object]>([
    [
      'plain text without headers',
      { status: 429, body: 'Retry later' },
      { kind: 'retry', reason: 'http_429', afterMs: 60_000 },
    ],
    ['Retry-After', { status: 429, headers: { 'retry-after': '7' } }, { kind: 'retry', afterMs: 7_000 }],
    ['500', { status: 500 }, { kind: 'retry', reason: 'http_5xx' }],
    ['no answer to a look', { status: 200, silent: true }, { kind: 'retry', reason: 'timeout' }],
    ['no list', { status: 200, body: '{}' }, { kind: 'retry', reason: 'bad_answer' }],
    ['401', { status: 401, body: '{"message":"401 Unauthorized"}' }, { kind: 'failed', reason: 'http_4xx' }],
    ['403', { status: 403, body: '{"message":"403 Forbidden"}' }, { kind: 'failed', reason: 'http_4xx' }],
    ['a private project nobody shows us', { status: 404 }, { kind: 'failed', reason: 'http_4xx' }],
    ['422', { status: 422 }, { kind: 'failed', reason: 'http_4xx' }],
    ['a redirect', { status: 302, headers: { location: 'http://x' } }, { kind: 'failed', reason: 'redirect' }],
  ])('%s', async (_, answer, expected) => {
    fake.answer(answer);
    expect(await run()).toMatchObject(expected);
    expect(gitlab.issues).toEqual([]);
    expect(await run()).toMatchObject({ kind: 'succeeded' });
    expect(gitlab.issues).toHaveLength(1);
  });

  it('a storm of refusals ends with one issue and one note for each alert', async () => {
    for (const alert of [1, 2, 3]) {
      fake.answer({ status: 429, body: 'Retry later' });
      await run({ alert });
      fake.answer({ status: 200, body: JSON.stringify(gitlab.issues) }, { status: 503 });
      await run({ alert });
      expect(await run({ alert })).toMatchObject({ kind: 'succeeded' });
    }
    expect(gitlab.issues).toHaveLength(1);
    expect(gitlab.issues[0]?.notes[0]?.body).toMatch(/, 2 ×/);
  });
});

it('a project outside the connection is refused when the rule is read, and so is what GitLab would not take', () => {
  const check = (parameters: object) => action.check({ connection: 'main', ...parameters });
  expect(check({ project: 'sec/other' })).toMatchObject({ ok: true });
  expect(check({ project: 'evil/project' })).toMatchObject({ ok: false, problems: [{ field: 'project' }] });
  expect(check({ connection: 'none' })).toMatchObject({ ok: false });
  expect(check({ labels: ['a,b'] })).toMatchObject({ ok: false });
  expect(check({ labels: ['a\nb'] })).toMatchObject({ ok: false });
});

describe('text of attackers', () => {
  it.each(EVIL)('%j does nothing in issue and note', async (evil) => {
    const fields = { 'proc.cmdline': evil, [evil]: 'x', namespace: evil, workload: 'web' };
    await run({ alert: 1, fields, summary: evil, rule: evil });
    await run({ alert: 2, fields, summary: evil, rule: evil });
    const [issue] = gitlab.issues;
    expect(acted(issue?.description ?? '')).toEqual([]);
    expect(acted(issue?.notes[0]?.body ?? '')).toEqual([]);
    expect(issue?.title).not.toMatch(/[\r\n\u2028\u2029\u202e]/);
  });

  it('would be seen if it did something (negative control)', () => {
    const seen = EVIL.filter((evil) => acted(evil).length > 0);
    expect(seen.length).toBeGreaterThan(EVIL.length - 6);
  });

  it('of secrets is masked in title, description and note', async () => {
    for (const { text, secret } of secretShapes(40, 1)) {
      gitlab.issues.length = 0;
      await run({ alert: 1, summary: text, fields: { 'proc.cmdline': text } });
      expect(JSON.stringify(gitlab.issues), text).not.toContain(secret);
    }
  });
});
