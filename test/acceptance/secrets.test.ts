import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { secretShapes } from '../../services/platform/src/testing/secret-shapes.ts';
import { slackAnswer, startFake } from '../../services/responder/src/testing/fakes.ts';
import { testPlace } from '../../services/responder/src/testing/place.ts';

/** Secrets in event text on their way through the whole program to a Slack and a web hook that keep what they get. */
const EVENTS = 100 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
/** Slack takes one message a second. */
const SLACK_EVERY = 7;
const directory = temporaryDirectory('secrets');
afterAll(() => directory.remove());

const SECRETS = { slack: `xoxb-${'1'.repeat(20)}`, hook: `whsec_${Buffer.alloc(32, 9).toString('base64')}` };

/** One alert each: every event is of another container. */
function eventOf(text: string, n: number): string {
  return JSON.stringify({
    hostname: 'node-1',
    output: `10:00:00.000000000: Warning secret in arguments | ${text}`,
    output_fields: {
      'container.id': n.toString(16).padStart(12, '0'),
      'container.name': 'job',
      'fd.name': `/tmp/${text}`,
      'proc.cmdline': text,
      'evt.type': 'execve',
      'proc.name': n % SLACK_EVERY === 0 ? 'ssh' : 'sh',
      'user.name': 'root',
    },
    priority: 'Warning',
    rule: 'Secret in arguments',
    source: 'syscall',
    tags: ['container'],
    time: `2026-11-20T10:00:00.${String(n).padStart(9, '0')}Z`,
  });
}

it(
  'leave neither by Slack nor by web hook, nor does a secret of ours in any log, metric or answer',
  async () => {
    const slack = await startFake(slackAnswer);
    const hook = await startFake(() => ({ status: 204 }));
    const place = testPlace();
    place.connections(
      `slack: {soc: {token_file: slack, api_url: "${slack.url}/api/", channel: "#alerts", network: private}}\n` +
        `webhooks: {siem: {url: "${hook.url}/in", secret_file: hook, network: private}}\n`,
      SECRETS,
    );
    const rule = (id: string, connection: string, actionner: string, fields: string) =>
      `  - rule: ${id}\n    id: ${id}\n    mode: enforce\n    match: {rules: [Secret in arguments], output_fields: [${fields}]}\n` +
      `    actions: [{action: tell, actionner: "${actionner}", parameters: {connection: ${connection}}}]\n`;
    place.rule(
      'tell.yaml',
      `version: 1\nrules:\n${rule('hook', 'siem', 'webhook:post', '"evt.type=execve"')}${rule('slack', 'soc', 'slack:message', '"proc.name=ssh"')}`,
    );
    const dataDir = join(directory.path, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    const running = await startEyrie(dataDir, {
      args: ['--rules', place.rulesDir],
      env: { EYRIE_CONNECTIONS_FILE: place.connectionsFile, EYRIE_LOG_LEVEL: 'trace' },
    });
    try {
      const shapes = secretShapes(EVENTS, 7);
      const body = shapes.map(({ text }, n) => eventOf(text, n)).join('\n');
      const headers = { 'content-type': 'application/x-ndjson' };
      const intake = { ...headers, authorization: `Bearer ${running.ready.intake_token}` };
      const answer = await fetch(running.ready.gateway, { method: 'POST', body, headers: intake });
      expect(await answer.json()).toEqual({ accepted: EVENTS, rejected: [] });
      await expect
        .poll(() => [slack.received.length, hook.received.length], { timeout: 20_000 + 300 * EVENTS })
        .toEqual([Math.ceil(EVENTS / SLACK_EVERY), EVENTS]);

      const sent = [...slack.received, ...hook.received].map((got) => got.body).join('\n');
      expect(sent).toContain('Secret in arguments');
      const leaked = shapes.filter(
        ({ secret }) => sent.includes(secret) || sent.includes(JSON.stringify(secret).slice(1, -1)),
      );
      expect(leaked).toEqual([]);

      const api = { authorization: `Bearer ${running.ready.api_token}` };
      const answers = await Promise.all(
        ['/metrics', '/v1/actions?limit=500', '/v1/dead-letters', '/v1/health', '/v1/tokens', '/v1/nowhere'].map(
          async (path) => (await fetch(`${running.ready.console}${path}`, { headers: api })).text(),
        ),
      );
      expect(answers[1]).toContain('succeeded');
      await running.stop();
      const ours = [...Object.values(SECRETS), running.ready.intake_token, running.ready.api_token];
      const said = [...answers, running.stderr()].join('\n');
      expect(ours.filter((secret) => said.includes(secret))).toEqual([]);
      // On disk tokens stand in the file that hands them out, and nowhere else.
      expect(filesWith(dataDir, ours).filter((path) => !/(ready|tokens).*\.json$/.test(path))).toEqual([]);
      // The search finds what is there: an event's text, which is stored as it came.
      expect(filesWith(dataDir, ['Secret in arguments']).length).toBeGreaterThan(0);
    } finally {
      await running.stop();
      await Promise.all([slack.close(), hook.close()]);
      place.remove();
    }
  },
  60_000 + 600 * EVENTS,
);

function filesWith(root: string, texts: readonly string[]): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(root, name);
    if (!statSync(path).isFile()) return false;
    const bytes = readFileSync(path);
    return texts.some((text) => bytes.includes(text));
  });
}
