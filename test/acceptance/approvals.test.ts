import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import {
  FAKE_TOKEN,
  type FakeKubernetes,
  fakeKubernetes,
} from '../../services/responder/src/testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from '../../services/responder/src/testing/place.ts';
import { aPod, CONTAINER, changes, POD_PATH, UID } from '../../services/responder/src/testing/pods.ts';
import { EVENT, eyrie } from './eyrie.ts';

const SLACK = `slack:
  soc: {token_file: token, channel: C1, approvals: {signing_secret_file: signing, team_id: T0TEAM, users: {U0BOB: bob}}}
`;

const RULE = `
version: 1
rules:
  - rule: Isolate
    id: isolate
    mode: approve
    authors: [author]
    match: {rules: [Terminal shell in container]}
    approval: {quorum: 2, ttl: 10m}
    actions: [{action: cut, actionner: kubernetes:quarantine}]
    tests:
      - {name: asks, given: {event: {rule: Terminal shell in container}}, expect: {decision: awaiting_approval, plan: [cut]}}
`;

const SIGNING = 'signing-secret-of-the-app';
const directory = temporaryDirectory('approvals');
let api: FakeKubernetes;
let place: TestPlace;
let running: Running;
const files: Record<string, string> = {};

const run = async (args: readonly string[], file?: string) => {
  const token = file === undefined ? [] : ['--url', running.ready.console, '--token', file];
  const { code, stdout, stderr } = await eyrie([
    ...args,
    '--data-dir',
    join(directory.path, 'data'),
    '--json',
    ...token,
  ]);
  return { code, body: stdout === '' ? undefined : JSON.parse(stdout), stderr };
};

beforeAll(async () => {
  api = await fakeKubernetes();
  api.objects.set(POD_PATH, aPod());
  place = testPlace();
  place.connections(
    `clusters:\n  - {cluster: default, server: "${api.server}", ca_file: ca.pem, token_file: token}\n${SLACK}`,
    { 'ca.pem': api.ca, token: FAKE_TOKEN, signing: SIGNING },
  );
  place.rule('isolate.yaml', RULE);
  running = await startEyrie(join(directory.path, 'data'), {
    args: ['--rules', place.rulesDir],
    env: { EYRIE_CONNECTIONS_FILE: place.connectionsFile },
  });
  for (const [name, person] of Object.entries({
    robot: undefined,
    ann: 'ann',
    ann2: 'ann',
    bob: 'bob',
    author: 'author',
  })) {
    const whose = person === undefined ? [] : ['--person', person];
    const made = await run(['tokens', 'create', name, '--scopes', 'read,respond', ...whose]);
    files[name] = made.body.token;
  }
}, 120_000);
afterAll(async () => {
  await running?.stop();
  await api.close();
  place.remove();
  directory.remove();
});

/** A button in Slack, as Slack sends it. */
async function press(
  user: string,
  { plan, plan_hash: hash }: Record<string, string>,
  secret = SIGNING,
): Promise<number> {
  const payload = {
    type: 'block_actions',
    user: { id: user },
    team: { id: 'T0TEAM' },
    actions: [{ action_id: 'eyrie-approve', value: `${plan}:${hash}` }],
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  const answer = await fetch(`${running.ready.console}/v1/slack/interactions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signature}`,
    },
    body,
  });
  return answer.status;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const stateOf = async (intent: string) =>
  (await run(['actions'])).body.items.find((one: { intent_key: string }) => one.intent_key === intent)?.state;

describe('a rule that asks', () => {
  it('acts once two persons said so, is undone for one, and leaves a ledger that holds', async () => {
    const fields = {
      'container.id': CONTAINER.slice(0, 12),
      'k8s.ns.name': 'shop',
      'k8s.pod.name': 'web-0',
      'k8s.pod.uid': UID,
      'proc.name': 'sh',
    };
    const event = { ...EVENT, output_fields: fields, time: '2026-11-20T10:00:00.000000001Z' };
    const posted = await fetch(`${running.ready.gateway}/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${running.ready.intake_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(event),
    });
    expect(await posted.json()).toMatchObject({ accepted: 1 });
    const waiting = await until(async () => (await run(['approvals', 'list'])).body.items[0]);
    expect(waiting).toMatchObject({ rule_id: 'isolate', target: UID, actions: ['cut (kubernetes:quarantine)'] });

    const approve = (name: string) => run(['approvals', 'approve', waiting.plan], files[name]);
    const service = await approve('robot');
    expect([service.code, service.stderr]).toEqual([1, expect.stringContaining('a person approves')]);
    for (const name of ['author', 'ann', 'ann2']) expect((await approve(name)).code).toBe(0);
    const other = ['--hash', '0'.repeat(32)];
    expect((await run(['approvals', 'approve', waiting.plan, ...other], files['bob'])).stderr).toContain('another one');
    expect((await run(['approvals', 'list'])).body.items).toHaveLength(1);
    expect(changes(api)).toEqual([]);
    expect(await press('U0NOBODY', waiting)).toBe(403);
    expect(await press('U0BOB', waiting, 'another secret')).toBe(401);
    expect(await press('U0BOB', { ...waiting, plan_hash: '0'.repeat(32) })).toBe(409);
    expect(changes(api)).toEqual([]);
    expect(await press('U0BOB', waiting)).toBe(200);

    const intent = await until(async () => {
      const { items } = (await run(['actions'])).body;
      return items[0].state === 'succeeded' ? (items[0].intent_key as string) : undefined;
    });
    expect(api.objects.get(POD_PATH)?.metadata['labels']).toEqual({ 'eyrie.dev/quarantine': intent.slice(0, 16) });
    expect((await approve('bob')).stderr).toContain('waits for approval');

    expect((await run(['actions', 'undo', intent], files['ann'])).code).toBe(0);
    await until(async () => ((await stateOf(intent)) === 'undone' ? true : undefined));
    expect(api.objects.get(POD_PATH)?.metadata['labels']).toEqual({ app: 'web', 'pod-template-hash': 'abc' });
    expect((await run(['actions', 'undo', intent], files['ann'])).stderr).toContain('nothing to take back');

    const states = await fetch(`${running.ready.console}/v1/actions/${intent}`, {
      headers: { authorization: `Bearer ${running.ready.api_token}` },
    });
    const story = ((await states.json()) as { states: { state: string; decided_by?: string }[] }).states;
    expect(story.map(({ state }) => state)).toEqual([
      'awaiting_approval',
      'approved',
      'planned',
      'executing',
      'succeeded',
      'undo_scheduled',
      'undo_scheduled',
      'undone',
    ]);
    expect([story[1]?.decided_by, story.at(-1)?.decided_by]).toEqual(['ann, bob', 'ann']);

    const verified = await run(['actions', 'verify']);
    expect([verified.code, verified.body.sound]).toEqual([0, true]);
    const lines = verified.body.partitions.map(({ head, lines, rows }: Record<string, number>) => [head, lines, rows]);
    expect(lines.filter(([head]: number[]) => head !== 0)).toEqual([[8, 8, 8]]);
    expect((await run(['actions', 'verify'], files['ann'])).code).toBe(1);
  }, 120_000);
});
