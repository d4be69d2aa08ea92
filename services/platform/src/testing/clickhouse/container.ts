import { execFileSync } from 'node:child_process';
import type { TestServer } from './test-server.ts';

const IMAGE = 'clickhouse/clickhouse-server:26.7';
const PULL_MS = 600_000;
const COMMAND_MS = 60_000;
const START_MS = 60_000;
const OWN = { user: 'eyrie', password: 'eyrie-test' };
const ANALYST = { user: 'eyrie_analyst', password: 'analyst-test' };

/** A real server in a container; the analyst is made by SQL, as an operator makes one. */
export async function startContainer(): Promise<TestServer> {
  const environment = [
    `CLICKHOUSE_USER=${OWN.user}`,
    `CLICKHOUSE_PASSWORD=${OWN.password}`,
    'CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT=1',
  ].flatMap((pair) => ['--env', pair]);
  const id = docker(['run', '--detach', '--publish', '127.0.0.1::8123', ...environment, IMAGE], PULL_MS).trim();
  const url = () => `http://${docker(['port', id, '8123/tcp'], COMMAND_MS).trim().split('\n')[0]}`;
  const stop = async () => void docker(['rm', '--force', id], COMMAND_MS);
  try {
    await untilItAnswers(url);
    await ask(
      url(),
      `CREATE USER IF NOT EXISTS ${ANALYST.user} IDENTIFIED BY '${ANALYST.password}' SETTINGS readonly = 2`,
    );
    await ask(url(), `GRANT SELECT ON eyrie.* TO ${ANALYST.user}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kind: `${IMAGE} in a container`,
    ...OWN,
    analyst: ANALYST,
    url,
    crash: async () => {
      docker(['kill', id], COMMAND_MS);
      docker(['start', id], COMMAND_MS);
      await untilItAnswers(url);
    },
    stop,
  };
}

async function untilItAnswers(url: () => string): Promise<void> {
  for (const end = Date.now() + START_MS; ; ) {
    try {
      return await ask(url(), 'SELECT 1');
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function ask(url: string, sql: string): Promise<void> {
  const headers = { 'X-ClickHouse-User': OWN.user, 'X-ClickHouse-Key': OWN.password };
  const answer = await fetch(url, { method: 'POST', body: sql, headers });
  if (!answer.ok) throw new Error(await answer.text());
}

function docker(args: readonly string[], timeout: number): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout });
}
