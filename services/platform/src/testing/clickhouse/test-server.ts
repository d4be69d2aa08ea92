import { execFileSync } from 'node:child_process';
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
 * database `eyrie` is dropped), or one in a container where a Docker engine answers, or the front over the embedded engine.
 */
export async function startTestServer(): Promise<TestServer> {
  const named = (name: string) => process.env[`EYRIE_TEST_CLICKHOUSE_${name}`] ?? '';
  const url = named('URL');
  if (url !== '') {
    return {
      kind: `the server at ${new URL(url).origin}`,
      user: named('USER') || 'default',
      password: named('PASSWORD'),
      analyst: { user: named('ANALYST_USER') || 'default', password: named('ANALYST_PASSWORD') },
      url: () => url,
      stop: async () => undefined,
    };
  }
  try {
    execFileSync('docker', ['info', '--format', '{{.ID}}'], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    return startFront();
  }
  return startContainer();
}
