import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classifyAddress } from './http-address.ts';
import { createHttpClient, HttpError } from './http-client.ts';

describe('addresses', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.0.1', 'public'],
    ['2606:4700::1111', 'public'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['127.0.0.1', 'private'],
    ['::1', 'private'],
    ['fd12::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['64:ff9b::a00:1', 'private'],
    ['2002:a00:1::', 'private'],
    ['169.254.169.254', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['::a9fe:a9fe', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['2002:a9fe:a9fe::', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['not an address', 'forbidden'],
  ] as const)('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });
});

describe('the guarded client', () => {
  const server = createServer((request, response) => {
    if (request.url === '/big') response.end('x'.repeat(1_000_000));
    else response.end('ok');
  });
  let port = 0;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const get = (url: string, network: 'public' | 'private', addresses: readonly string[] = ['127.0.0.1']) => {
    let turn = 0;
    const client = createHttpClient({
      resolve: async () => [{ address: addresses[Math.min(turn++, addresses.length - 1)] ?? '', family: 4 }],
    });
    return client
      .send({ url, method: 'GET', headers: {}, network, timeoutMs: 2_000 })
      .catch((error: unknown) => error)
      .finally(() => client.close());
  };

  it('reaches a private address where that is allowed', async () => {
    expect(await get(`http://127.0.0.1:${port}/`, 'private')).toMatchObject({ status: 200, body: 'ok' });
    expect(await get(`http://name.test:${port}/`, 'private')).toMatchObject({ status: 200 });
  });

  it.each(['127.0.0.1', 'name.test', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'refuses %s elsewhere',
    async (host) => {
      const error = await get(`http://${host}:${port}/`, 'public');
      expect(error).toBeInstanceOf(HttpError);
      expect(error).toMatchObject({ kind: 'refused' });
    },
  );

  it('refuses metadata even where private addresses are allowed', async () => {
    expect(await get('http://169.254.169.254/latest', 'private')).toMatchObject({ kind: 'refused' });
    expect(await get('http://metadata.test/', 'private', ['169.254.169.254'])).toMatchObject({ kind: 'refused' });
    expect(await get('http://[fd00:ec2::254]/', 'private')).toMatchObject({ kind: 'refused' });
  });

  it('reads no more than its bound', async () => {
    expect(await get(`http://127.0.0.1:${port}/big`, 'private')).toMatchObject({ truncated: true });
  });

  it('tells a connection that never was from one that broke', async () => {
    expect(await get('http://127.0.0.1:1/', 'private')).toMatchObject({ kind: 'connect' });
  });
});
