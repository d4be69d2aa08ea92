import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '@eyrie/platform/clock';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Responder } from './main.ts';
import { type Answer, type Fake, startFake } from './testing/fakes.ts';
import { fakeGitlab, GITLAB_TOKEN } from './testing/gitlab.ts';
import { judgedOutput } from './testing/judged.ts';
import { type FakeKubernetes, fakeKubernetes } from './testing/kubernetes-api.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { changes } from './testing/pods.ts';
import { testResponder } from './testing/responder.ts';
import {
  connectLab,
  countEndings,
  detectionIn,
  numberedPod,
  podPath,
  readLedger,
  terminateRule,
} from './testing/terminations.ts';

const PODS = 30;
const SOON = { timeout: 40_000, interval: 20 };
/** As GitLab's rate limit of the application answers: plain text, no header that says when. */
const LATER: Answer = { status: 429, headers: { 'content-type': 'text/plain' }, body: 'Retry later\n' };
const SILENT: Answer = { status: 0, silent: true };

let api: FakeKubernetes;
let gitlab: ReturnType<typeof fakeGitlab>;
let tracker: Fake;
let hook: Fake;
/** While true the sinks are as bad as told. */
let isBad: boolean;
let ahead: number;
let place: TestPlace;
let temporary: TemporaryLog;
let responder: Responder;

const clock: Clock = { now: () => Date.now() + ahead, sleep: systemClock.sleep };
const pods = Array.from({ length: PODS }, (_, number) => ({ number }));

beforeAll(async () => {
  api = await fakeKubernetes();
});
afterAll(() => api.close());
beforeEach(async () => {
  isBad = true;
  ahead = 0;
  gitlab = fakeGitlab();
  tracker = await startFake((request) => (isBad ? LATER : gitlab.answer(request)));
  hook = await startFake(() => (isBad ? SILENT : { status: 204 }));
  place = testPlace();
  temporary = temporaryLog();
  api.reset();
  for (const pod of pods) api.objects.set(podPath(pod), numberedPod(pod));
  connectLab(
    place,
    api,
    `gitlab: {main: {url: "${tracker.url}", token_file: gitlab, project: sec/triage, network: private}}\n` +
      `webhooks: {siem: {url: "${hook.url}", secret_file: hook, network: private}}\n`,
    { gitlab: GITLAB_TOKEN, hook: `whsec_${Buffer.alloc(32, 3).toString('base64')}` },
  );
  responder = testResponder(
    { bus: temporary.bus, metrics: temporary.metrics, clock },
    { rulesDir: place.rulesDir, scriptsDir: place.scriptsDir, connectionsFile: place.connectionsFile },
  );
});
afterEach(async () => {
  await responder.stop();
  await temporary.remove();
  await Promise.all([tracker.close(), hook.close()]);
  place.remove();
});

const TICKET = '{action: ticket, actionner: "gitlab:issue", parameters: {connection: main}}';
const POST = '{action: post, actionner: "webhook:post", parameters: {connection: siem}, timeout: 500ms}';

/** The same notices as a rule of their own. */
const TELL = `
version: 1
rules:
  - rule: Tell
    id: tell
    mode: enforce
    match: {rules: [Terminal shell in container]}
    actions: [${TICKET.replace('}}', '}, on_error: continue}')}, ${POST}]
`;

async function attack(): Promise<void> {
  await responder.start();
  await temporary.bus.append([judgedOutput(pods.map(detectionIn))]);
}

const ledgerOf = async (action: string): Promise<readonly ActionRecord[]> =>
  (await readLedger(temporary.bus)).filter((line) => line.action === action);

async function terminated(): Promise<void> {
  await vi.waitFor(async () => {
    const ended = (await ledgerOf('kill')).filter(({ state }) => state === 'succeeded');
    expect(ended).toHaveLength(PODS);
  }, SOON);
}

async function ended(actions: Readonly<Record<string, number>>): Promise<void> {
  await vi.waitFor(async () => {
    // Lanes rest for a minute after a refusal: it passes.
    ahead += 61_000;
    for (const [action, count] of Object.entries(actions)) {
      expect(countEndings(await ledgerOf(action))).toEqual({ 'succeeded done': count });
    }
  }, SOON);
}

it.each([
  ['by a rule of their own', () => place.rule('tell.yaml', TELL), terminateRule()],
  ['by the same rule, before it', () => {}, terminateRule({ before: `      - ${TICKET}\n      - ${POST}` })],
])('sinks that hang and refuse, told %s, hold up no termination; all are told once later', async (_, more, rule) => {
  more();
  place.rule('kill.yaml', rule);
  await attack();
  await terminated();
  expect(changes(api)).toHaveLength(PODS);
  // Nobody was told meanwhile, and what was not told waits.
  await vi.waitFor(() => expect(tracker.received.length).toBeGreaterThan(0), SOON);
  expect(gitlab.issues).toEqual([]);
  expect((await ledgerOf('ticket')).filter(({ state }) => state !== 'planned' && state !== 'executing')).toEqual([]);

  // Refusals go on.
  const refusals = tracker.received.length + 5;
  await vi.waitFor(() => {
    ahead += 61_000;
    expect(tracker.received.length).toBeGreaterThan(refusals);
  }, SOON);
  isBad = false;
  await ended({ ticket: PODS, post: PODS });
  expect(gitlab.issues).toHaveLength(PODS);
  const intents = gitlab.issues.map(({ description }) => /eyrie-intent: (\w+)/.exec(description)?.[1]);
  expect(new Set(intents).size).toBe(PODS);
  const delivered = new Set(hook.received.map(({ headers }) => headers['webhook-id']));
  expect(delivered.size).toBe(PODS);
  expect(changes(api)).toHaveLength(PODS);
});

it('a termination that is denied is told too, by the notice its rule named first', async () => {
  isBad = false;
  place.rule('kill.yaml', terminateRule({ before: `      - ${TICKET}` }));
  for (const pod of pods) {
    const { metadata, ...rest } = numberedPod(pod);
    api.objects.set(podPath(pod), { ...rest, metadata: { ...metadata, ownerReferences: [] } });
  }
  await attack();
  await vi.waitFor(async () => {
    expect(countEndings(await ledgerOf('kill'))).toEqual({ 'denied standalone': PODS });
  }, SOON);
  await ended({ ticket: PODS });
});

it('what collects before it is waited for: a delay would be seen (negative control)', async () => {
  const go = join(place.path, 'go');
  place.script('collect.sh', `#!/bin/sh\nwhile [ ! -e ${go} ]; do sleep 0.05; done\n`);
  const collect = '{action: collect, actionner: shell:script, parameters: {script: collect.sh}}';
  place.rule('kill.yaml', terminateRule({ before: `      - ${collect}` }));
  await attack();
  await vi.waitFor(
    async () => expect((await ledgerOf('collect')).some(({ state }) => state === 'executing')).toBe(true),
    SOON,
  );
  expect(changes(api)).toEqual([]);
  expect(existsSync(go)).toBe(false);
  writeFileSync(go, '');
  await terminated();
});
