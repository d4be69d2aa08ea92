import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readConfig } from '../../services/cli/src/config.ts';

const docker = new URL('../../infra/docker/', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'eyrie-secrets-'));
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true, force: true });
});

function makeSecrets(): Record<string, string> {
  execFileSync(process.execPath, [join(docker, 'make-secrets.mjs'), directory]);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.includes('/'));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, file), 'utf8')]));
}

test('secrets are made once, private, each different, and Eyrie takes them', () => {
  const made = makeSecrets();
  expect(Object.keys(made).toSorted()).toEqual([
    'clickhouse/password',
    'eyrie/api-token',
    'eyrie/intake-token',
    'eyrie/signing-key',
    'grafana/admin-password',
  ]);
  expect(new Set(Object.values(made)).size).toBe(5);
  expect(statSync(join(directory, 'eyrie/signing-key')).mode & 0o777).toBe(0o400);
  const config = readConfig({
    EYRIE_SIGNING_KEY_FILE: join(directory, 'eyrie/signing-key'),
    EYRIE_INTAKE_TOKEN_FILE: join(directory, 'eyrie/intake-token'),
    EYRIE_API_TOKEN_FILE: join(directory, 'eyrie/api-token'),
  });
  expect(config.EYRIE_API_TOKEN).toBe(made['eyrie/api-token']);
  // Another start: a file that was removed is made anew, the others stay.
  rmSync(join(directory, 'eyrie/api-token'));
  const again = makeSecrets();
  expect({ ...again, 'eyrie/api-token': '' }).toEqual({ ...made, 'eyrie/api-token': '' });
  expect(again['eyrie/api-token']).not.toBe(made['eyrie/api-token']);
});

async function answering(status: number): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end());
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return String((server.address() as AddressInfo).port);
}

/** A port that nobody listens on any more. */
async function silent(): Promise<string> {
  const port = await answering(200);
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return port;
}

async function health(environment: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, [join(docker, 'healthcheck.mjs')], { env: environment, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return code;
}

test('a container is healthy when its role answers, or, in one process, the gateway', async () => {
  const [well, ill, nobody] = [await answering(200), await answering(500), await silent()];
  expect(await health({ EYRIE_HEALTH_PORT: well, EYRIE_GATEWAY_PORT: nobody })).toBe(0);
  expect(await health({ EYRIE_HEALTH_PORT: nobody, EYRIE_GATEWAY_PORT: well })).toBe(0);
  expect(await health({ EYRIE_HEALTH_PORT: ill, EYRIE_GATEWAY_PORT: well })).toBe(1);
  expect(await health({ EYRIE_HEALTH_PORT: nobody, EYRIE_GATEWAY_PORT: nobody })).toBe(1);
});
