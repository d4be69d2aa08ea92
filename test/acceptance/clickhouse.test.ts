import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FaultProxy, startFaultProxy } from '@eyrie/platform/testing/clickhouse/fault-proxy';
import { startTestServer, type TestServer } from '@eyrie/platform/testing/clickhouse/test-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { eyrie, postShells } from './eyrie.ts';

const POSTS = 30;
const EVENTS = 20;

let server: TestServer;
let proxy: FaultProxy;
let env: Record<string, string>;
const directory = temporaryDirectory('clickhouse');

beforeAll(async () => {
  server = await startTestServer();
  proxy = await startFaultProxy(server.url);
  env = {
    EYRIE_STORE: 'clickhouse',
    EYRIE_CLICKHOUSE_URL: proxy.url,
    EYRIE_CLICKHOUSE_USER: server.user,
    EYRIE_CLICKHOUSE_PASSWORD: server.password,
    EYRIE_CLICKHOUSE_ANALYST_USER: server.analyst.user,
    EYRIE_CLICKHOUSE_ANALYST_PASSWORD: server.analyst.password,
  };
});
afterAll(async () => {
  await proxy.down();
  await server.stop();
  directory.remove();
});

it('migrates a server by a verb of its own, once', async () => {
  const first = await eyrie(['migrate', '--json'], { env });
  expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining(server.password)]);
  const second = await eyrie(['migrate', '--json'], { env });
  const applied = (text: string) => (JSON.parse(text) as { applied: boolean }[]).map((one) => one.applied);
  expect(applied(first.stdout)).toEqual([true, true, true, true]);
  expect(applied(second.stdout)).toEqual([false, false, false, false]);
  const readable = await eyrie(['migrate'], { env });
  expect(readable.stdout).toContain('0001_events  was there');
});

it('prints the SQL without a server, and names every setting that is missing', async () => {
  const printed = await eyrie(['migrate', '--print', '--json'], {
    env: { EYRIE_STORE: 'clickhouse', EYRIE_CLICKHOUSE_CLUSTER: 'prod' },
  });
  expect(JSON.parse(printed.stdout)).toContainEqual(expect.stringContaining('ON CLUSTER `prod`'));
  const refused = await eyrie(['migrate'], {
    env: { EYRIE_STORE: 'clickhouse', EYRIE_CLICKHOUSE_TLS_KEY_FILE: '/nowhere' },
  });
  expect(refused.code).toBe(1);
  expect(refused.stderr.match(/EYRIE_CONFIG_INVALID/g)).toHaveLength(1);
  for (const setting of ['EYRIE_CLICKHOUSE_URL', 'TLS_CERT_FILE', 'TLS_KEY_FILE']) {
    expect(refused.stderr).toContain(setting);
  }
});

it('stores every event once while the server dies, is away and loses answers, and over a restart', async () => {
  const dataDir = join(directory.path, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const running = await startEyrie(dataDir, { env });
  try {
    for (let post = 0; post < POSTS; post += 1) {
      expect(await postShells(running.ready, post, EVENTS)).toMatchObject({ accepted: EVENTS });
      if (post === 8) await server.crash?.();
      if (post === 12) await proxy.down();
      if (post === 18) await proxy.up();
      if (post % 5 === 4) proxy.meet('answer-lost');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const count = async () => {
      const { stdout } = await eyrie([
        'sql',
        '--json',
        '--data-dir',
        dataDir,
        'SELECT count(), uniqExact(event_id) FROM events',
      ]);
      return (JSON.parse(stdout || '{}') as { rows?: unknown[][] }).rows?.[0];
    };
    for (let attempt = 0; attempt < 60 && (await count())?.[0] !== String(POSTS * EVENTS); attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(await count()).toEqual([String(POSTS * EVENTS), String(POSTS * EVENTS)]);
  } finally {
    expect(await running.stop()).toBe(0);
  }
  const again = await startEyrie(dataDir, { env });
  try {
    const { stdout } = await eyrie(['sql', '--json', '--data-dir', dataDir, 'SELECT count() FROM events']);
    expect(JSON.parse(stdout)).toMatchObject({ rows: [[String(POSTS * EVENTS)]] });
    const monthly = await fetch(`${again.ready.console}/v1/metrics/monthly-alerts`, {
      headers: { authorization: `Bearer ${again.ready.api_token}` },
    });
    expect(await monthly.json()).toMatchObject({ reconciliation: { difference: 0 } });
  } finally {
    await again.stop();
  }
}, 180_000);
