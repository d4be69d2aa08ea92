import { mkdirSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { createAuthority, hasOpenssl } from '../../services/platform/src/testing/authority.ts';
import { EVENT, eyrie } from './eyrie.ts';

const directory = temporaryDirectory('certificate');
afterAll(() => directory.remove());

/** The status of a post with a client certificate and no token. */
function post(url: string, files: { ca: string; cert: string; key: string }): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: false, ...files }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.setHeader('content-type', 'application/json');
    sent.end(JSON.stringify({ ...EVENT, time: '2026-11-20T10:00:00.000000001Z' }));
  });
}

it.skipIf(!hasOpenssl)(
  'a client certificate stands for a token until it is revoked',
  async () => {
    const authority = createAuthority();
    for (const name of ['falco', 'stranger']) authority.issue(name);
    const dataDir = join(directory.path, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    const running = await startEyrie(dataDir, {
      env: {
        EYRIE_GATEWAY_TLS_CERT_FILE: authority.path('server.pem'),
        EYRIE_GATEWAY_TLS_KEY_FILE: authority.path('server.key'),
        EYRIE_GATEWAY_TLS_CLIENT_CA_FILE: authority.path('ca.pem'),
      },
    });
    try {
      const by = (name: string) => ({
        ca: authority.read('ca.pem'),
        cert: authority.read(`${name}.pem`),
        key: authority.read(`${name}.key`),
      });
      const tokens = (...args: string[]) =>
        eyrie(['tokens', ...args, '--url', running.ready.console, '--token', running.ready.api_token]);
      const create = (name: string, file: string) =>
        tokens('create', name, '--scopes', 'intake', '--cluster', 'east', '--certificate', file);

      expect(await post(running.ready.gateway, by('falco'))).toBe(401);
      const made = await create('falco', authority.path('falco.pem'));
      expect([made.stderr, made.code]).toEqual(['', 0]);
      expect(made.stdout).not.toContain('eyrie_');
      expect(await post(running.ready.gateway, by('falco'))).toBe(200);
      expect(await post(running.ready.gateway, by('stranger'))).toBe(401);

      const second = await create('other', authority.path('falco.pem'));
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('EYRIE_HTTP_CONFLICT')]);
      const bad = await create('bad', authority.path('falco.key'));
      expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('EYRIE_INPUT_UNREADABLE')]);

      expect((await tokens('revoke', 'falco')).code).toBe(0);
      expect(await post(running.ready.gateway, by('falco'))).toBe(401);
    } finally {
      await running.stop();
      rmSync(authority.directory, { recursive: true });
    }
  },
  60_000,
);
