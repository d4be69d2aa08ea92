import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EndedBeforeReady, type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { eyrie } from './eyrie.ts';

const directory = temporaryDirectory('up');
afterAll(() => directory.remove());

const EVENT = {
  hostname: 'node-1',
  output: 'shell',
  output_fields: { 'container.id': '0123456789ab', 'proc.cmdline': 'sh -c id', 'proc.name': 'sh' },
  priority: 'Notice',
  rule: 'Terminal shell in container',
  source: 'syscall',
  tags: ['container', 'mitre_execution', 'shell'],
};

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

  it('refuses to go on when the rows it wrote are gone', async () => {
    const dataDir = newDirectory('lost');
    const first = await startEyrie(dataDir);
    await post(first, { ...EVENT, time: '2026-11-20T10:00:00.000000001Z' });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await first.stop()).toBe(0);
    rmSync(join(dataDir, 'clickhouse'), { recursive: true });
    await expect(startEyrie(dataDir)).rejects.toThrow(/EYRIE_DATA_DIR_DAMAGED.*clickhouse is missing/s);
  });

  it('names every wrong setting at once', async () => {
    const { code, stderr } = await eyrie(['up', '--data-dir', newDirectory('config')], {
      env: { EYRIE_GATEWAY_PORT: 'x', EYRIE_PROCESSOR_WINDOW_MS: '5s' },
    });
    expect(code).toBe(1);
    expect(stderr).toContain('EYRIE_CONFIG_INVALID');
    expect(stderr).toContain('EYRIE_GATEWAY_PORT');
    expect(stderr).toContain('EYRIE_PROCESSOR_WINDOW_MS');
  });

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
