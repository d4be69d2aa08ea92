import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EndedBeforeReady, type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { EVENT, eyrie } from './eyrie.ts';

const directory = temporaryDirectory('up');
afterAll(() => directory.remove());

function newDirectory(name: string): string {
  const path = join(directory.path, name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

async function post(running: Running, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${running.ready.gateway}/`, {
    method: 'POST',
    headers: { authorization: `Bearer ${running.ready.intake_token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

describe('eyrie up', () => {
  it('takes an event, shows its alert and the trail behind it, keeps it over a restart, and ends within 10 s', async () => {
    const dataDir = newDirectory('whole');
    const first = await startEyrie(dataDir);
    const answer = await post(first, { ...EVENT, time: '2026-11-20T10:00:00.000000001Z' });
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1, rejected: [] }]);
    const api = (path: string, running: Running) =>
      fetch(`${running.ready.console}${path}`, { headers: { authorization: `Bearer ${running.ready.api_token}` } });
    const alertOf = async (running: Running) => {
      for (;;) {
        const page = (await (await api('/v1/alerts', running)).json()) as {
          items: { alert_id: string; count: number }[];
        };
        if (page.items[0] !== undefined) return page.items[0];
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const alert = await alertOf(first);
    expect(alert.count).toBe(1);
    const trail = (await (await api(`/v1/why/${alert.alert_id}`, first)).json()) as { kind: string };
    expect(trail.kind).toBe('alert');
    const started = performance.now();
    expect(await first.stop()).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);

    const second = await startEyrie(dataDir);
    expect(second.ready.intake_token).toBe(first.ready.intake_token);
    expect((await alertOf(second)).alert_id).toBe(alert.alert_id);
    expect(await second.stop()).toBe(0);
  });

  it('keeps its secrets from other users', async () => {
    const dataDir = newDirectory('modes');
    const running = await startEyrie(dataDir);
    try {
      expect(statSync(dataDir).mode & 0o777).toBe(0o700);
      for (const name of ['tokens.json', 'ready.json', 'key']) {
        expect(statSync(join(dataDir, name)).mode & 0o777, name).toBe(0o600);
      }
    } finally {
      await running.stop();
    }
  });

  it('lets one process own a data directory, and names it to the second', async () => {
    const dataDir = newDirectory('owned');
    const first = await startEyrie(dataDir);
    try {
      const second = await eyrie(['up', '--data-dir', dataDir, '--gateway-port', '0', '--console-port', '0']);
      expect(second.code).toBe(1);
      expect(second.stderr).toContain('EYRIE_DATA_DIR_LOCKED');
      expect(second.stderr).toContain(String(first.pid));
    } finally {
      await first.stop();
    }
  });

  it('refuses a data directory of a newer version, with the way out', async () => {
    const dataDir = newDirectory('newer');
    writeFileSync(join(dataDir, 'format.json'), '{"format":99,"log_identity":"x"}\n');
    await expect(startEyrie(dataDir)).rejects.toThrow(/EYRIE_DATA_DIR_NEWER.*newer/s);
    await expect(startEyrie(dataDir)).rejects.toThrow(EndedBeforeReady);
  });

  it('refuses to go on when the rows it wrote are gone, or the log they came from', async () => {
    const dataDir = newDirectory('lost');
    const first = await startEyrie(dataDir);
    await post(first, { ...EVENT, time: '2026-11-20T10:00:00.000000001Z' });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await first.stop()).toBe(0);
    for (const [gone, said] of [
      ['clickhouse', /EYRIE_DATA_DIR_DAMAGED.*clickhouse is missing/s],
      ['clickhouse/store', /EYRIE_DATA_DIR_DAMAGED.*clickhouse is missing or empty/s],
      ['log', /EYRIE_DATA_DIR_DAMAGED.*data\.mdb is missing/s],
    ] as const) {
      renameSync(join(dataDir, gone), join(directory.path, 'aside'));
      await expect(startEyrie(dataDir)).rejects.toThrow(said);
      rmSync(join(dataDir, gone), { recursive: true, force: true });
      renameSync(join(directory.path, 'aside'), join(dataDir, gone));
    }
    const again = await startEyrie(dataDir);
    expect(await again.stop()).toBe(0);
  }, 60_000);

  it('names every wrong setting at once', async () => {
    const { code, stderr } = await eyrie(['up', '--data-dir', newDirectory('config')], {
      env: { EYRIE_GATEWAY_PORT: 'x', EYRIE_PROCESSOR_WINDOW_MS: '5s' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('EYRIE_CONFIG_INVALID');
    expect(stderr).toContain('EYRIE_GATEWAY_PORT');
    expect(stderr).toContain('EYRIE_PROCESSOR_WINDOW_MS');
  });

  it('never hands out a revoked token again', async () => {
    const dataDir = newDirectory('revoked');
    const first = await startEyrie(dataDir);
    const old = first.ready.intake_token;
    const api = ['--url', first.ready.console, '--token', first.ready.api_token];
    expect((await eyrie(['tokens', 'revoke', 'first-intake', ...api])).code).toBe(0);
    await first.stop();
    const second = await startEyrie(dataDir);
    const body = { ...EVENT, time: '2026-11-20T10:00:00Z' };
    expect((await post(second, body, { authorization: `Bearer ${old}` })).status).toBe(401);
    expect((await post(second, body)).status).toBe(200);
    await second.stop();

    const given = `eyrie_${'x'.repeat(43)}`;
    const third = await startEyrie(dataDir, { env: { EYRIE_INTAKE_TOKEN: given } });
    const again = ['--url', third.ready.console, '--token', third.ready.api_token];
    expect((await eyrie(['tokens', 'revoke', 'first-intake', ...again])).code).toBe(0);
    await third.stop();
    await expect(startEyrie(dataDir, { env: { EYRIE_INTAKE_TOKEN: given } })).rejects.toThrow(
      /EYRIE_CONFIG_INVALID.*revoked/,
    );
  }, 60_000);

  it.runIf(process.platform === 'linux')(
    'ends within 10 s although the engine hangs, and loses nothing',
    async () => {
      const dataDir = newDirectory('hangs');
      const first = await startEyrie(dataDir);
      const [engine] = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'utf8').trim().split(' ');
      process.kill(Number(engine), 'SIGSTOP');
      expect((await post(first, { ...EVENT, time: '2026-11-20T10:00:00.000000001Z' })).status).toBe(200);
      // Long enough for an insert to be under way.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const started = performance.now();
      expect(await first.stop()).toBe(0);
      expect(performance.now() - started).toBeLessThan(10_000);
      const second = await startEyrie(dataDir);
      const rows = async () => (await eyrie(['sql', 'SELECT count() FROM events', '--data-dir', dataDir])).stdout;
      await expect.poll(rows, { timeout: 20_000 }).toMatch(/^1$/m);
      await second.stop();
    },
    60_000,
  );

  it('keeps the tokens of a tenant when it starts for another', async () => {
    const dataDir = newDirectory('tenants');
    const first = await startEyrie(dataDir);
    await first.stop();
    const second = await startEyrie(dataDir, { env: { EYRIE_TENANT: 'acme' } });
    expect(second.ready.intake_token).not.toBe(first.ready.intake_token);
    const tenantOf = async (token: string) => {
      const answer = await fetch(`${second.ready.console}/v1/tokens`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await answer.json()) as { items: { name: string }[] }).items.map(({ name }) => name);
    };
    const api = ['--url', second.ready.console, '--token', second.ready.api_token];
    const made = await eyrie(['tokens', 'create', 'third', '--scopes', 'admin', '--tenant', 'third', '--json', ...api]);
    const { token } = JSON.parse(made.stdout) as { token: string };
    expect(await tenantOf(token)).toEqual(['third']);
    const file = join(dataDir, 'fourth.token');
    const hidden = await eyrie(['tokens', 'create', 'fourth', '--scopes', 'read', '--json', '--out', file, ...api]);
    expect(JSON.parse(hidden.stdout)).toMatchObject({ name: 'fourth', file });
    expect(hidden.stdout).not.toContain(readFileSync(file, 'utf8').trim());
    expect((await eyrie(['tokens', 'revoke', 'fourth', ...api])).code).toBe(0);
    const lost = await eyrie(['tokens', 'create', 'fifth', '--scopes', 'read', '--out', join(file, 'x'), ...api]);
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringMatching(/^EYRIE_USAGE: .*cannot be written/)]);
    const far = ['--gateway', second.ready.gateway, '--data-dir', join(dataDir, 'not-here'), ...api];
    const { stdout, stderr } = await eyrie(['connect', 'falco', '--cluster', 'far', '--wait', '1s', '--json', ...far], {
      cwd: directory.path,
    });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'EYRIE_SEND_FAILED' } });
    const settings = /settings with the token: (\S+)/.exec(stderr)?.[1] ?? '';
    expect(readFileSync(join(directory.path, settings), 'utf8')).toContain('http_output');
    expect((await eyrie(['tokens', 'list', ...api])).stdout).not.toContain('fifth');
    expect((await eyrie(['tokens', 'revoke', settings.replace('.yaml', ''), ...api])).code).toBe(0);
    expect((await tenantOf(second.ready.api_token)).sort()).toEqual(['first-api', 'first-intake']);
    expect((await tenantOf(first.ready.api_token)).sort()).toEqual(['first-api', 'first-intake']);
    await second.stop();
    await expect(
      startEyrie(dataDir, { env: { EYRIE_TENANT: 'acme', EYRIE_INTAKE_TOKEN: first.ready.intake_token } }),
    ).rejects.toThrow(/EYRIE_CONFIG_INVALID.*another tenant/);
    const same = 'eyrie_one-and-the-same-for-both';
    await expect(startEyrie(dataDir, { env: { EYRIE_INTAKE_TOKEN: same, EYRIE_API_TOKEN: same } })).rejects.toThrow(
      /EYRIE_CONFIG_INVALID.*each its own/,
    );
  }, 60_000);

  it.each([
    [
      'a ready file that cannot be written',
      ['--ready-file', '/nowhere/at/all.json'],
      /EYRIE_CONFIG_INVALID.*ready-file/,
    ],
    ['a port that is taken', ['--gateway-port', 'TAKEN'], /EYRIE_CONFIG_INVALID.*another program listens there/],
  ])(
    'ends, and says so, with %s',
    async (name, args, said) => {
      const dataDir = newDirectory(name);
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const taken = String((server.address() as AddressInfo).port);
      const ports = ['--console-port', '0', ...(args.includes('TAKEN') ? [] : ['--gateway-port', '0'])];
      const result = await eyrie([
        'up',
        '--data-dir',
        dataDir,
        ...ports,
        ...args.map((arg) => arg.replace('TAKEN', taken)),
      ]);
      server.close();
      expect([result.code, result.stderr]).toEqual([1, expect.stringMatching(said)]);
      expect(existsSync(join(dataDir, 'ready.json'))).toBe(false);
    },
    30_000,
  );

  it('writes a token nowhere but in its files', async () => {
    const dataDir = newDirectory('tokens');
    const running = await startEyrie(dataDir, { env: { EYRIE_LOG_LEVEL: 'trace' } });
    const token = running.ready.intake_token;
    await fetch(`${running.ready.gateway}/t/${token}`, {
      method: 'POST',
      body: '{"rule":',
      headers: { 'content-type': 'application/json' },
    });
    await fetch(`${running.ready.gateway}/t/${token}/nowhere`, { method: 'POST', body: 'x' });
    await post(running, 'x', { authorization: `Bearer ${token}x` });
    const api = { authorization: `Bearer ${running.ready.api_token}` };
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const texts = await Promise.all(
      ['/metrics', '/v1/dead-letters', '/v1/health', '/v1/tokens'].map(async (path) =>
        (await fetch(`${running.ready.console}${path}`, { headers: api })).text(),
      ),
    );
    await running.stop();
    for (const text of [...texts, running.stderr()]) {
      expect(text).not.toContain(token);
      expect(text).not.toContain(running.ready.api_token);
    }
    // The texts are not empty: the refusals are there.
    expect(texts.join('')).toContain('EYRIE_HTTP_');
  });
});
