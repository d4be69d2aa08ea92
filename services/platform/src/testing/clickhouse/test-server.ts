import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from '../../bus/directory-lock.ts';
import { startContainer } from './container.ts';
import { startFront } from './front.ts';

/** A ClickHouse server for tests, or what stands in for one. */
export interface TestServer {
  /** What it is, for people who read results. */
  readonly kind: string;
  readonly user: string;
  readonly password: string;
  /** A user who may only read. */
  readonly analyst: { readonly user: string; readonly password: string };
  /** Another one after a crash, perhaps. */
  url(): string;
  /** Kills it and starts it again; undefined where it is not ours to kill. */
  readonly crash?: () => Promise<void>;
  stop(): Promise<void>;
}

/**
 * The server `EYRIE_TEST_CLICKHOUSE_URL` names (with `_USER`, `_PASSWORD`, `_ANALYST_USER`, `_ANALYST_PASSWORD`; its
 * database `eyrie` is dropped first), or one in a container where a Docker engine answers, or the front over the embedded engine.
 */
export async function startTestServer(): Promise<TestServer> {
  const url = setting('URL');
  if (url !== '') return named(url);
  try {
    execFileSync('docker', ['info', '--format', '{{.ID}}'], { stdio: 'ignore', timeout: 10_000 });
    return await startContainer();
  } catch {
    return startFront();
  }
}

const setting = (name: string) => process.env[`EYRIE_TEST_CLICKHOUSE_${name}`] ?? '';

/** One file of tests at a time: each begins with nothing there. */
async function named(url: string): Promise<TestServer> {
  const [user, password] = [setting('USER') || 'default', setting('PASSWORD')];
  const unlock = await lock(join(tmpdir(), 'eyrie-test-clickhouse'));
  const headers = { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  const answer = await fetch(url, { method: 'POST', body: 'DROP DATABASE IF EXISTS eyrie SYNC', headers });
  if (!answer.ok) throw new Error(await answer.text());
  return {
    kind: `the server at ${new URL(url).origin}`,
    user,
    password,
    analyst: { user: setting('ANALYST_USER') || user, password: setting('ANALYST_PASSWORD') || password },
    url: () => url,
    stop: async () => unlock(),
  };
}

async function lock(directory: string): Promise<() => void> {
  mkdirSync(directory, { recursive: true });
  for (;;) {
    try {
      return lockDirectory(directory);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
