import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestServer } from './test-server.ts';

const CHILD = fileURLToPath(new URL('./front-child.ts', import.meta.url));
const START_MS = 30_000;
const OWN = { user: 'eyrie', password: 'päss"w:rd' };
const ANALYST = { user: 'eyrie_analyst', password: 'look only' };

/**
 * The fixture in front of the embedded engine, in a process of its own that can be killed. With the name of a cluster,
 * that cluster is one shard without replicas.
 */
export async function startFront(cluster = ''): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-front-'));
  const users = JSON.stringify({
    [OWN.user]: { password: OWN.password },
    [ANALYST.user]: { password: ANALYST.password, readonly: 2 },
  });
  let running: { readonly child: ChildProcess; readonly url: string };

  async function start(): Promise<typeof running> {
    const child = fork(CHILD, [directory, users, cluster], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the front did not start')), START_MS);
      child.once('message', (message) => resolve((message as { port: number }).port));
      child.once('exit', (code, signal) => reject(new Error(`the front ended: ${code ?? signal}`)));
      void child.once('message', () => clearTimeout(timer));
    });
    return { child, url: `http://127.0.0.1:${port}` };
  }

  async function kill(): Promise<void> {
    const { child } = running;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  running = await start();
  return {
    kind: 'a test front over the embedded engine, no server',
    ...OWN,
    analyst: ANALYST,
    url: () => running.url,
    crash: async () => {
      await kill();
      running = await start();
    },
    stop: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
