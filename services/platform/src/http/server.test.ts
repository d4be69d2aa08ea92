import { rmSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import type { ClusterId, Scope, TenantId } from '@eyrie/schemas';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { systemClock } from '../clock.ts';
import { AppError } from '../errors.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { createAuthority, hasOpenssl } from '../testing/authority.ts';
import type { Principal } from '../tokens.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions, principalOf } from './server.ts';

const READ = 'eyrie_read-read-read-read-read-read-read-read-read';
const INTAKE = 'eyrie_intake-intake-intake-intake-intake-intake-in';
const BOTH = 'eyrie_both-both-both-both-both-both-both-both-both';
const principal = (name: string, scopes: readonly Scope[]): Principal => ({
  name,
  tenant: 't1' as TenantId,
  cluster: 'c1' as ClusterId,
  scopes,
});
const tokens = new Map([
  [READ, principal('reader', ['read'])],
  [INTAKE, principal('sender', ['intake'])],
  [BOTH, principal('both', ['intake', 'read'])],
]);

const servers: HttpServer[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

async function start(options: Partial<HttpServerOptions> = {}) {
  const lines: string[] = [];
  const metrics = createMetrics();
  const server = await createHttpServer({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: createLogger({
      name: 'test',
      level: 'trace',
      pretty: false,
      destination: { write: (line) => lines.push(line) },
    }),
    metrics,
    ready: () => ({ bus: true }),
    authenticate: (token) => tokens.get(token),
    ...options,
  });
  const { app } = server;
  app.get('/v1/who', { config: { scope: 'read' } }, (request) => ({ name: principalOf(request).name }));
  app.get('/v1/who/:name', { config: { scope: 'read' } }, ({ params }) => params);
  app.post('/v1/intake', { config: { scope: 'intake' } }, () => ({ ok: true }));
  app.get('/v1/bug', { config: { scope: 'read' } }, () => {
    throw new Error('password=inner secret');
  });
  app.get('/v1/full', { config: { scope: 'read' } }, () => {
    throw new AppError('EYRIE_DISK_FULL', '/var/lib/eyrie is full', { retryable: true });
  });
  app.post(
    '/v1/checked',
    { config: { scope: 'read' }, schema: { body: z.object({ count: z.number().int().min(1).max(9) }) } },
    ({ body }) => ({ count: body.count }),
  );
  servers.push(server);
  await server.listen();
  return { server, lines, metrics };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: { readonly error?: { code: string; message: string; requestId: string } } & Record<string, unknown>;
}

function ask(url: string, options: RequestOptions & { body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const isJson = response.headers['content-type']?.startsWith('application/json') === true;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: isJson ? JSON.parse(text) : {},
        });
      });
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (user: string, token: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`,
});

describe('authentication', () => {
  it.each([
    ['Bearer', bearer(READ)],
    ['bearer in lower case', { authorization: `bearer ${READ}` }],
    ['X-Eyrie-Token', { 'x-eyrie-token': READ }],
    ['Basic', basic('eyrie', READ)],
    ['Basic with an empty user', basic('', READ)],
  ])('takes a token by %s', async (_name, headers) => {
    const { server } = await start();
    expect(await ask(`${server.address}/v1/who`, { headers })).toMatchObject({ status: 200, body: { name: 'reader' } });
  });

  it.each([
    ['nothing', {}],
    ['a wrong token', bearer(`${READ}x`)],
    ['an empty token', bearer('')],
    ['another scheme', { authorization: `Digest ${READ}` }],
    ['a bare token', { authorization: READ }],
    ['Basic that is no base64', { authorization: 'Basic ***' }],
  ])('answers 401 to %s', async (_name, headers) => {
    const { server } = await start();
    for (const path of ['/v1/who', '/metrics', '/openapi.json', '/nowhere']) {
      const answer = await ask(`${server.address}${path}`, { headers });
      expect(answer.status, path).toBe(401);
      expect(answer.body.error?.code).toBe('EYRIE_HTTP_UNAUTHENTICATED');
      expect(answer.body.error?.requestId).toBe(answer.headers['x-request-id']);
      expect(answer.headers['www-authenticate']).toContain('Bearer');
    }
  });

  it('answers 403 where the scope is missing', async () => {
    const { server } = await start();
    const answer = await ask(`${server.address}/v1/who`, { headers: bearer(INTAKE) });
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'EYRIE_HTTP_FORBIDDEN' } } });
  });

  it('lets a token from the path do nothing but send events', async () => {
    const { server } = await start();
    expect((await ask(`${server.address}/t/${BOTH}/v1/intake`, { method: 'POST' })).status).toBe(200);
    expect((await ask(`${server.address}/t/${BOTH}/v1/who`)).status).toBe(403);
    expect((await ask(`${server.address}/t/${READ}`)).status).toBe(404);
    const absolute = { method: 'POST', path: `HTTP://any.host/t/${BOTH}/v1/intake` };
    expect((await ask(server.address, absolute)).status).toBe(200);
    for (const path of ['/t/', '/t//', '/t/?x', '/t/wrong/v1/intake']) {
      expect((await ask(`${server.address}${path}`, { headers: bearer(BOTH) })).status, path).toBe(401);
    }
  });

  it('refuses to register a route that does not say its scope', async () => {
    const { server } = await start();
    expect(server.app.hasRoute({ method: 'GET', url: '/open' })).toBe(false);
    const fresh = await createHttpServer({
      name: 'test',
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      log: createLogger({ name: 'test', level: 'silent' }),
      metrics: createMetrics(),
      ready: () => ({}),
      authenticate: () => undefined,
    });
    expect(() => fresh.app.get('/open', () => 'x')).toThrow('does not say which scope');
  });

  it('says of a flood of wrong tokens only so much, and still takes the right one', async () => {
    const { server, lines, metrics } = await start();
    for (let i = 0; i < 40; i += 1) {
      expect((await ask(`${server.address}/v1/who`, { headers: bearer('wrong') })).status).toBe(401);
    }
    expect((await ask(`${server.address}/v1/who`, { headers: bearer(READ) })).status).toBe(200);
    const warnings = lines.filter((line) => line.includes('without valid token'));
    expect(warnings.length).toBeGreaterThanOrEqual(20);
    expect(warnings.length).toBeLessThan(30);
    const reached = await metrics.read('eyrie_bound_reached_total');
    expect(reached).toContainEqual([{ bound: 'http_failed_authentication' }, 40 - warnings.length]);
  });
});

describe('answers', () => {
  it('answers health without a token, and nothing else of itself', async () => {
    const { server } = await start({ ready: () => ({ bus: true, store: false }) });
    expect(await ask(`${server.address}/healthz`)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await ask(`${server.address}/readyz`)).toMatchObject({ status: 503, body: { parts: { store: false } } });
  });

  it('keeps the inner part of a fault to itself', async () => {
    const { server, lines } = await start();
    const bug = await ask(`${server.address}/v1/bug`, { headers: bearer(READ) });
    expect(bug).toMatchObject({ status: 500, body: { error: { code: 'EYRIE_INTERNAL' } } });
    expect(bug.text).not.toContain('secret');
    expect(lines.join('')).toContain(bug.body.error?.requestId);
    const full = await ask(`${server.address}/v1/full`, { headers: bearer(READ) });
    expect(full).toMatchObject({ status: 503, body: { error: { code: 'EYRIE_DISK_FULL' } } });
    expect(full.text).not.toContain('/var/lib');
    expect(full.headers['retry-after']).toBe('1');
  });

  it('names the part of a request that is wrong', async () => {
    const { server } = await start();
    const json = { ...bearer(READ), 'content-type': 'application/json' };
    const post = (body: string, headers: Record<string, string> = json) =>
      ask(`${server.address}/v1/checked`, { method: 'POST', headers, body });
    expect(await post('{"count":3}')).toMatchObject({ status: 200, body: { count: 3 } });
    const wrong = await post('{"count":0}');
    expect(wrong).toMatchObject({ status: 400, body: { error: { code: 'EYRIE_HTTP_BAD_REQUEST' } } });
    expect(wrong.body.error?.message).toContain('/count');
    expect((await post('{"count":')).status).toBe(400);
    expect((await post('a', { ...bearer(READ), 'content-type': 'text/csv' })).status).toBe(415);
    expect(await post(`{"x":"${'y'.repeat(5_000_000)}"}`)).toMatchObject({
      status: 413,
      body: { error: { code: 'EYRIE_HTTP_TOO_LARGE' } },
    });
  });

  it('says an outage now and then, not once a request', async () => {
    const { server, lines } = await start();
    for (let i = 0; i < 30; i += 1) {
      expect((await ask(`${server.address}/v1/full`, { headers: bearer(READ) })).status).toBe(503);
    }
    const said = lines.filter((line) => line.includes('EYRIE_DISK_FULL')).length;
    expect(said).toBeGreaterThan(0);
    expect(said).toBeLessThan(15);
  });

  it('answers a path it cannot read in the same form, without repeating it', async () => {
    const { server } = await start();
    for (const path of ['/v1/%zz', `/v1/who/${'secret'.repeat(100)}`]) {
      const answer = await ask(`${server.address}${path}`, { headers: bearer(READ) });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'EYRIE_HTTP_BAD_REQUEST' } } });
      expect(answer.text).not.toMatch(/zz|secret/);
      expect((await ask(`${server.address}${path}`)).status).toBe(401);
    }
  });

  it('closes although senders never pause', async () => {
    const { server } = await start({
      limits: { drainMs: 20_000 },
      intercept: (_request, response) => {
        setTimeout(() => response.end('{}'), 20);
        return true;
      },
    });
    let answers = 0;
    // Several, so that some connection is busy at the moment of the close: an idle one is simply closed.
    const senders = Array.from({ length: 8 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const post = () => ask(`${server.address}/`, { agent, method: 'POST' });
      while (await post().then(Boolean, () => false)) answers += 1;
      agent.destroy();
    });
    while (answers < 24) await new Promise((resolve) => setTimeout(resolve, 5));
    const from = performance.now();
    await server.close();
    expect(performance.now() - from).toBeLessThan(5_000);
    await Promise.all(senders);
  });

  it('closes although a body never ends', async () => {
    const { server } = await start({ limits: { drainMs: 200 } });
    const socket = connect(Number(new URL(server.address).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`POST /v1/checked HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${READ}\r\ncontent-length: 9\r\n\r\n1`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const from = performance.now();
    await server.close();
    expect(performance.now() - from).toBeLessThan(5_000);
    socket.destroy();
  });

  it('describes its routes and its metrics to those with a token', async () => {
    const { server } = await start();
    await ask(`${server.address}/v1/who`, { headers: bearer(READ) });
    const metrics = await ask(`${server.address}/metrics`, { headers: bearer(READ) });
    expect(metrics.text).toContain('eyrie_http_requests_total{route="/v1/who",status="2xx"} 1');
    const { body } = await ask(`${server.address}/openapi.json`, { headers: bearer(READ) });
    expect(Object.keys(body['paths'] as object)).toContain('/v1/checked');
  });

  it('answers garbage, a flood of headers and a slow request, and goes on', async () => {
    const broken: number[] = [];
    const { server } = await start({
      limits: { requestMs: 300, headersMs: 300 },
      onBroken: ({ status }) => broken.push(status),
    });
    const port = Number(new URL(server.address).port);
    const talk = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.on('data', (chunk) => {
          answer += chunk.toString();
        });
        socket.on('error', reject);
        socket.on('close', () => resolve(answer));
      });
    expect(await talk('BLAH\r\n\r\n')).toMatch(/^HTTP\/1\.1 400.*EYRIE_HTTP_BAD_REQUEST/s);
    expect(await talk(`GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await talk('POST /v1/checked HTTP/1.1\r\nhost: a\r\n')).toMatch(/^HTTP\/1\.1 408.*EYRIE_HTTP_TIMEOUT/s);
    expect(broken).toEqual([400, 431, 408]);
    expect((await ask(`${server.address}/healthz`)).status).toBe(200);
  });

  it('never writes a token to the log, whatever goes wrong', async () => {
    const { server, lines, metrics } = await start();
    for (const path of ['/v1/who', '/v1/bug', '/v1/full', '/nowhere', '/v1/checked']) {
      for (const headers of [
        bearer(READ),
        basic('eyrie', BOTH),
        { 'x-eyrie-token': INTAKE },
        bearer('wrong-secret-1'),
      ]) {
        await ask(`${server.address}${path}`, { headers });
      }
      for (const token of [READ, INTAKE, 'wrong-secret-2']) await ask(`${server.address}/t/${token}${path}`);
    }
    expect(lines.length).toBeGreaterThan(10);
    const said = lines.join('') + (await metrics.text());
    expect(said).not.toMatch(/eyrie_(read\b|intake-|both)|wrong-secret|Bearer |Basic /);
  });
});

describe.skipIf(!hasOpenssl)('TLS', () => {
  function authority() {
    const made = createAuthority();
    directories.push(made.directory);
    return made;
  }

  it('serves a certificate and takes up a new one', async () => {
    const { path, issue, read } = authority();
    const { server } = await start({ tls: { certFile: path('server.pem'), keyFile: path('server.key') } });
    expect(server.address).toMatch(/^https:/);
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const request = httpsRequest(`${server.address}/healthz`, { ca: read('ca.pem'), agent: false }, (response) => {
          const { socket } = response as unknown as { socket: import('node:tls').TLSSocket };
          resolve(socket.getPeerCertificate().serialNumber);
          response.resume();
        });
        request.on('error', reject).end();
      });
    const first = await serial();
    server.reload();
    expect(await serial()).toBe(first);
    issue('server', 'localhost', ['-addext', 'subjectAltName=IP:127.0.0.1']);
    server.reload();
    expect(await serial()).not.toBe(first);
  });

  it('asks for a client certificate, and can take it for a token', async () => {
    const { path, issue, read } = authority();
    issue('falco-node-1');
    const other = authority();
    other.issue('stranger');
    const { server } = await start({
      tls: { certFile: path('server.pem'), keyFile: path('server.key'), clientCaFile: path('ca.pem') },
      authenticateCertificate: ({ commonName, sha256 }) =>
        commonName.startsWith('falco-') && /^[0-9a-f]{64}$/.test(sha256) ? principal(commonName, ['read']) : undefined,
    });
    const url = `${server.address}/v1/who`;
    const trust = { ca: read('ca.pem') };
    const certificate = { ...trust, cert: read('falco-node-1.pem'), key: read('falco-node-1.key') };
    const stranger = { ...trust, cert: other.read('stranger.pem'), key: other.read('stranger.key') };
    expect((await ask(`${server.address}/healthz`, trust)).status).toBe(200);
    expect((await ask(url, { ...trust, headers: bearer(READ) })).status).toBe(401);
    expect((await ask(url, { ...stranger, headers: bearer(READ) })).status).toBe(401);
    expect(await ask(url, certificate)).toMatchObject({ status: 200, body: { name: 'falco-node-1' } });
    expect(await ask(url, { ...certificate, headers: bearer(READ) })).toMatchObject({ body: { name: 'reader' } });
    expect((await ask(url, { ...certificate, headers: bearer('wrong') })).status).toBe(401);
  });
});
