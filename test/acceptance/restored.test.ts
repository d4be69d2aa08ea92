import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '@eyrie/platform/testing/clickhouse/test-server';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { postShells } from './eyrie.ts';

const EVENTS = 10;

let server: TestServer;
let env: Record<string, string>;
const directory = temporaryDirectory('restored');

beforeAll(async () => {
  server = await startTestServer();
  env = {
    EYRIE_STORE: 'clickhouse',
    EYRIE_CLICKHOUSE_URL: server.url(),
    EYRIE_CLICKHOUSE_USER: server.user,
    EYRIE_CLICKHOUSE_PASSWORD: server.password,
  };
});
afterAll(async () => {
  await server.stop();
  directory.remove();
});

async function stored(): Promise<readonly [rows: number, events: number]> {
  const { user, password } = server;
  const answer = await fetch(server.url(), {
    method: 'POST',
    body: 'SELECT count(), uniqExact(event_id) FROM eyrie.events',
    headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
  });
  const [rows, events] = (await answer.text()).split('\t').map(Number);
  return [rows ?? 0, events ?? 0];
}

/** One post, archived before the next: batches, and so tokens, are cut the same way each time. */
async function send(running: Running, post: number): Promise<void> {
  expect(await postShells(running.ready, post, EVENTS)).toMatchObject({ accepted: EVENTS });
  for (let attempt = 0; attempt < 100 && (await stored())[0] < (post + 1) * EVENTS; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

it('a data directory restored from an older copy loses no new event to a repeat, and doubles none', async () => {
  const dataDir = join(directory.path, 'data');
  const backup = join(directory.path, 'backup');
  mkdirSync(dataDir, { mode: 0o700 });
  let running = await startEyrie(dataDir, { env });
  await send(running, 0);
  expect(await running.stop()).toBe(0);
  cpSync(dataDir, backup, { recursive: true });

  running = await startEyrie(dataDir, { env });
  for (const post of [1, 2, 3]) await send(running, post);
  expect(await running.stop()).toBe(0);
  rmSync(dataDir, { recursive: true });
  cpSync(backup, dataDir, { recursive: true });

  running = await startEyrie(dataDir, { env });
  try {
    expect(running.stderr()).toContain('restored');
    for (const post of [4, 5, 6]) await send(running, post);
    expect(await stored()).toEqual([7 * EVENTS, 7 * EVENTS]);
  } finally {
    expect(await running.stop()).toBe(0);
  }
}, 180_000);
