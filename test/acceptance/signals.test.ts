import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../bench/process.ts';
import { MAIN } from './eyrie.ts';

const directory = temporaryDirectory('signals');
afterAll(() => directory.remove());

describe('a role on SIGTERM', () => {
  it('ends well though its broker takes connections and answers nothing', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const child = spawn(process.execPath, [MAIN, 'gateway', '--data-dir', join(directory.path, 'gateway')], {
      env: {
        ...process.env,
        EYRIE_BUS: 'kafka',
        EYRIE_KAFKA_BROKERS: `127.0.0.1:${port}`,
        EYRIE_SIGNING_KEY: '5a'.repeat(32),
      },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await once(silent, 'connection');
    child.kill('SIGTERM');
    // By itself it would give up after half a minute, with 1.
    expect(await ended).toEqual([0, null]);
    for (const socket of sockets) socket.destroy();
    silent.close();
  }, 60_000);
});
