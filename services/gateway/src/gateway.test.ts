import { connect } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { AppError } from '@eyrie/platform/errors';
import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayOptions } from './gateway.ts';
import { ANY_CLUSTER, event, line, post, READER, startGateway, TOKEN } from './test-support.ts';

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.stop();
});

async function start(options?: GatewayOptions) {
  const started = await startGateway(options);
  running.push(started.gateway);
  const { address } = started.gateway;
  return {
    ...started,
    post: (body: string | Buffer, headers?: Record<string, string>, path?: string) =>
      post(address, body, headers, path),
  };
}

const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('what is taken', () => {
  it('stores one event exactly as it came, under tenant and cluster of the token', async () => {
    const { post, sections } = await start();
    const body = line({ 'fd.name': 'ünï 🦅' });
    expect(await post(body, {}, '/')).toMatchObject({ status: 200, body: { accepted: 1, rejected: [] } });
    const [section] = sections();
    expect(section?.meta).toMatchObject({ tenant: 'acme', cluster: 'prod', origin: 'http', lines: 1 });
    expect(section?.lines).toEqual([Buffer.from(body).toString('latin1')]);
  });

  it('keeps lines byte for byte, also bad ones, and says which are refused', async () => {
    const { post, sections } = await start();
    const good = [line(), line()];
    const lines = [good[0], '{"rule":', '', ` ${good[1]}\r`, '\0', '[1]'];
    const answer = await post(`${lines.join('\n')}\n`, NDJSON);
    expect(answer.status).toBe(200);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.rejected?.map(({ index, code }) => [index, code])).toEqual([
      [1, 'not_json'],
      [4, 'not_json'],
      [5, 'not_object'],
    ]);
    expect(sections().flatMap((s) => s.lines)).toEqual(lines);
  });

  it('takes an array, a pretty-printed object, and lines under the name of JSON', async () => {
    const { post, sections } = await start();
    const events = [event({ text: '],{"\\"' }), event(), event()];
    expect((await post(JSON.stringify(events, null, 2))).body).toEqual({ accepted: 3, rejected: [] });
    expect((await post(JSON.stringify(events[0], null, 2))).body).toEqual({ accepted: 1, rejected: [] });
    expect((await post(`\uFEFF${events.map((e) => JSON.stringify(e)).join('\n')}`)).body.accepted).toBe(3);
    const stored = sections().flatMap((s) => s.lines.map((text) => JSON.parse(text)));
    expect(stored).toEqual([...events, events[0], ...events]);
  });

  it('keeps the neighbours of a bad element', async () => {
    const { post } = await start();
    const answer = await post(`[${line()}, nonsense, {"a":1], ${line()}, 7, ["x"]]`);
    expect(answer.body.accepted).toBe(2);
    expect(answer.body.rejected?.map(({ index, code }) => [index, code])).toEqual([
      [1, 'not_json'],
      [2, 'not_json'],
      [4, 'not_object'],
      [5, 'not_object'],
    ]);
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('unpacks %s', async (coding, pack) => {
    const { post } = await start();
    const body = `${Array.from({ length: 500 }, () => line()).join('\n')}\n`;
    const answer = await post(pack(body), { ...NDJSON, 'content-encoding': coding });
    expect(answer.body).toEqual({ accepted: 500, rejected: [] });
  });

  it('cuts a large body into records at lines', async () => {
    const { post, records, sections } = await start();
    const lines = Array.from({ length: 3000 }, () => line());
    await post(lines.join('\n'), NDJSON);
    expect(sections().flatMap((s) => s.lines)).toEqual(lines);
    expect(records().length).toBeGreaterThan(2);
    for (const { value } of records()) expect(value.length).toBeLessThan(300 * 1024);
  });

  it('hands on what it read, but not of bodies so large that it would fill the memory', async () => {
    const { post, records } = await start();
    const isHandedOn = () => records().map(({ made }) => (made as unknown[][])[0]?.[0] !== undefined);
    await post(line());
    await post(`${line({ text: 'x'.repeat(200_000) })}\n`.repeat(50), NDJSON);
    expect(isHandedOn()[0]).toBe(true);
    expect(isHandedOn().slice(1)).not.toContain(true);
    expect(records().length).toBeGreaterThan(10);
  });

  it('has room for the largest body it is told to take', async () => {
    const { post } = await start({ bodyBytes: 150 * 1024 * 1024 });
    const answer = await post(Buffer.alloc(140 * 1024 * 1024, 'x'), NDJSON);
    expect(answer).toMatchObject({ status: 200, body: { rejected: [{ code: 'line_too_long' }] } });
  });

  it('keeps the head of a line over the bound and refuses it alone', async () => {
    const { post, sections } = await start();
    const long = line({ text: 'x'.repeat(300_000) });
    const answer = await post([line(), long, line()].join('\n'), NDJSON);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: 'line_too_long' }] });
    const [section] = sections();
    expect(section?.meta.oversize).toMatchObject([{ index: 1, bytes: long.length }]);
    expect(section?.lines[1]).toBe(long.slice(0, 65_536));
    expect((await post(long)).body).toMatchObject({ accepted: 0, rejected: [{ index: 0, code: 'line_too_long' }] });
  });

  it('refuses bytes that are not UTF-8 without touching the neighbours', async () => {
    const { post, sections } = await start();
    const bad = Buffer.from(line({ text: '\u00e9' }), 'latin1');
    const body = Buffer.concat([Buffer.from(`${line()}\n`), bad, Buffer.from(`\n${line()}`)]);
    const answer = await post(body, NDJSON);
    expect(answer.body).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: 'invalid_utf8' }] });
    expect(sections()[0]?.lines[1]).toBe(bad.toString('latin1'));
  });

  it('lists only the first thousand refusals', async () => {
    const { post } = await start();
    const answer = await post('x\n'.repeat(2500), NDJSON);
    expect(answer.body.rejected).toHaveLength(1000);
    expect(answer.body).toMatchObject({ accepted: 0, rejected_more: 1500 });
  });
});

describe('clusters', () => {
  it('asks an event for its cluster only where the token is for all', async () => {
    const { post, sections } = await start();
    const any = { 'x-eyrie-token': ANY_CLUSTER };
    expect((await post(line(), any)).body).toMatchObject({ accepted: 0, rejected: [{ code: 'cluster_missing' }] });
    expect((await post(line({ 'static.cluster': 'eu-1' }), any)).body.accepted).toBe(1);
    expect((await post(line(), { ...any, 'x-eyrie-cluster': 'eu-2' })).body.accepted).toBe(1);
    expect((await post(line({ cluster: 'other' }))).body.accepted).toBe(1);
    expect(sections().map(({ meta }) => [meta.cluster, meta.header_cluster])).toEqual([
      ['*', undefined],
      ['*', undefined],
      ['*', 'eu-2'],
      ['prod', undefined],
    ]);
  });

  it('refuses a header that names another cluster than the token, or none at all', async () => {
    const { post } = await start();
    expect((await post(line(), { 'x-eyrie-cluster': 'prod' })).status).toBe(200);
    expect((await post(line(), { 'x-eyrie-cluster': 'dev' })).status).toBe(403);
    expect((await post(line(), { 'x-eyrie-token': ANY_CLUSTER, 'x-eyrie-cluster': 'Not a name' })).status).toBe(400);
  });
});

describe('what is refused', () => {
  const refused: [string, number, string, string | Buffer, Record<string, string>][] = [
    ['no token', 401, 'EYRIE_HTTP_UNAUTHENTICATED', line(), { 'x-eyrie-token': '' }],
    ['a wrong token', 401, 'EYRIE_HTTP_UNAUTHENTICATED', line(), { 'x-eyrie-token': 'eyrie_wrong' }],
    ['a token without intake', 403, 'EYRIE_HTTP_FORBIDDEN', line(), { 'x-eyrie-token': READER }],
    ['text', 415, 'EYRIE_HTTP_UNSUPPORTED_TYPE', 'Notice A shell', { 'content-type': 'text/plain' }],
    [
      'another charset',
      415,
      'EYRIE_HTTP_UNSUPPORTED_TYPE',
      line(),
      { 'content-type': 'application/json; charset=utf-16' },
    ],
    ['an unknown coding', 415, 'EYRIE_HTTP_UNSUPPORTED_TYPE', line(), { 'content-encoding': 'br' }],
    ['two codings', 415, 'EYRIE_HTTP_UNSUPPORTED_TYPE', line(), { 'content-encoding': 'gzip, gzip' }],
    ['an empty body', 400, 'EYRIE_HTTP_BAD_REQUEST', ' \n ', {}],
    ['an array that does not end', 400, 'EYRIE_HTTP_BAD_REQUEST', `[${line()},`, {}],
    ['text behind an array', 400, 'EYRIE_HTTP_BAD_REQUEST', `[${line()}] x`, {}],
    ['gzip that is none', 400, 'EYRIE_HTTP_BAD_REQUEST', line(), { 'content-encoding': 'gzip' }],
    ['gzip cut short', 400, 'EYRIE_HTTP_BAD_REQUEST', gzipSync(line()).subarray(0, 60), { 'content-encoding': 'gzip' }],
    [
      'zstd cut short',
      400,
      'EYRIE_HTTP_BAD_REQUEST',
      zstdCompressSync(line()).subarray(0, 60),
      { 'content-encoding': 'zstd' },
    ],
    ['a body over its bound', 413, 'EYRIE_HTTP_TOO_LARGE', 'x'.repeat(2_000_000), {}],
    ['too many lines', 413, 'EYRIE_HTTP_TOO_LARGE', 'x\n'.repeat(6000), NDJSON],
    ['too many elements', 413, 'EYRIE_HTTP_TOO_LARGE', `[${'1,'.repeat(6000)}1]`, {}],
    ['a gzip bomb', 413, 'EYRIE_HTTP_TOO_LARGE', gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }],
    [
      'a zstd bomb',
      413,
      'EYRIE_HTTP_TOO_LARGE',
      zstdCompressSync(Buffer.alloc(50_000_000)),
      { 'content-encoding': 'zstd' },
    ],
  ];
  it.each(refused)(
    '%s: %i %s, nothing of it stored, counted as blind time',
    async (_name, status, code, body, headers) => {
      const { post, sections, health, gateway, metrics } = await start({ bodyBytes: 1_048_576, lines: 5000 });
      const answer = await post(body, headers);
      expect(answer).toMatchObject({ status, body: { error: { code } } });
      expect(answer.body.error?.requestId).toBe(answer.headers['x-request-id']);
      expect((await post(line())).body.accepted).toBe(1);
      expect(sections()).toHaveLength(1);
      await gateway.stop();
      const known = status !== 401;
      expect(health()).toMatchObject([
        { kind: 'refused', code, count: 1, tenant: known ? 'acme' : 'default', cluster: known ? 'prod' : 'unknown' },
      ]);
      expect(await metrics.read('eyrie_intake_refused_total')).toEqual([[{ code }, 1]]);
      expect(await metrics.read('eyrie_intake_inflight_bytes')).toEqual([[{}, 0]]);
    },
  );

  it('says 503 while the log is full, keeps the refusals, and goes on when there is space', async () => {
    const { post, sections, health, gateway, state } = await start();
    state.error = new AppError('EYRIE_DISK_FULL', 'no space on /data', { retryable: true });
    for (let i = 0; i < 3; i += 1) {
      const answer = await post(line());
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'EYRIE_DISK_FULL' } } });
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.body.error?.message).not.toContain('/data');
    }
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(health()).toEqual([]);
    state.error = undefined;
    expect((await post(line())).status).toBe(200);
    expect(sections()).toHaveLength(1);
    await gateway.stop();
    expect(health()).toMatchObject([{ kind: 'refused', code: 'EYRIE_DISK_FULL', count: 3, tenant: 'acme' }]);
  });

  it('answers only after the append', async () => {
    const { post, state } = await start();
    let release = () => {};
    state.hold = new Promise((resolve) => {
      release = resolve;
    });
    let answered = false;
    const answer = post(line()).then((a) => {
      answered = true;
      return a;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    release();
    expect((await answer).status).toBe(200);
  });

  it('holds no more bytes than its budget', async () => {
    const { post, state, metrics } = await start({ inflightBytes: 100_000 });
    let release = () => {};
    state.hold = new Promise((resolve) => {
      release = resolve;
    });
    const body = line({ text: 'x'.repeat(60_000) });
    const first = post(body);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await post(body)).toMatchObject({ status: 503, body: { error: { code: 'EYRIE_HTTP_UNAVAILABLE' } } });
    release();
    expect((await first).status).toBe(200);
    expect((await post(body)).status).toBe(200);
    expect(await metrics.read('eyrie_bound_reached_total')).toEqual([[{ bound: 'intake_inflight_bytes' }, 1]]);
  });

  it('gives a slow client its time and no more, and counts it', async () => {
    const { post, gateway, health, metrics } = await start({ http: { requestMs: 500, headersMs: 300 } });
    const { port } = new URL(gateway.address);
    const answer = await new Promise<string>((resolve, reject) => {
      let got = '';
      const socket = connect(Number(port), '127.0.0.1', () => {
        const head = `POST / HTTP/1.1\r\nhost: x\r\nx-eyrie-token: ${TOKEN}\r\ncontent-type: application/json\r\n`;
        socket.write(`${head}content-length: 1000\r\n\r\n`);
      });
      const drip = setInterval(() => socket.write('{'), 50);
      socket.on('data', (chunk) => {
        got += chunk.toString();
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(drip);
        resolve(got);
      });
      setTimeout(() => reject(new Error('still open')), 5000).unref();
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*EYRIE_HTTP_TIMEOUT/s);
    expect((await post(line())).status).toBe(200);
    await gateway.stop();
    expect(health()).toMatchObject([{ kind: 'refused', code: 'EYRIE_HTTP_TIMEOUT', count: 1, tenant: 'acme' }]);
    expect(await metrics.read('eyrie_intake_inflight_bytes')).toEqual([[{}, 0]]);
  });

  it('is soft on rate and hard on disk', async () => {
    const { post, sections, health, gateway } = await start({
      quotaOf: () => ({ eventsPerSecond: 10, bytesPerDay: 100_000 }),
    });
    const body = Array.from({ length: 150 }, () => line()).join('\n');
    expect((await post(body, NDJSON)).status).toBe(200);
    expect((await post(line({ text: 'y'.repeat(100_000) }))).status).toBe(200);
    expect(sections().map(({ meta }) => meta.over_quota)).toEqual([undefined, true]);
    const answer = await post(line());
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'EYRIE_HTTP_QUOTA' } } });
    expect(answer.headers['retry-after']).toBe('1');
    await gateway.stop();
    expect(health()).toMatchObject([
      { kind: 'over_quota', tenant: 'acme', count: 151 },
      { kind: 'refused', code: 'EYRIE_HTTP_QUOTA', count: 1 },
    ]);
  });

  it('never lets a token out', async () => {
    const { post, log, health, gateway, metrics, sections } = await start();
    const secret = 'eyrie_not-known-not-known-not-known-not-known';
    for (const path of ['/', '/v1/events', '/v1/other']) {
      for (const token of [TOKEN, ANY_CLUSTER, READER, secret]) {
        await post(line(), { 'x-eyrie-token': '' }, `/t/${token}${path}`);
        await post('{', { authorization: `Bearer ${token}`, 'x-eyrie-token': '' }, path);
        await post('[', { authorization: `Basic ${Buffer.from(`u:${token}`).toString('base64')}` }, path);
        await post(line(), { 'x-eyrie-token': token, 'content-type': `text/${path}` }, path);
      }
    }
    await gateway.stop();
    const said = JSON.stringify([log, health(), await metrics.text(), sections()]);
    expect(said).toContain('without valid token');
    expect(said).not.toMatch(/eyrie_(one|any|reader|not)/);
  });
});

describe('the token in the path', () => {
  it('is enough to send events', async () => {
    const { post, gateway } = await start();
    for (const path of [`/t/${TOKEN}`, `/t/${TOKEN}/`, `/t/${TOKEN}/v1/events`]) {
      expect((await post(line(), { 'x-eyrie-token': '' }, path)).status).toBe(200);
    }
    expect((await post(line(), {}, '/t/wrong')).status).toBe(401);
    expect(gateway.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });
});

it('raises heartbeats that no sensor has sent', async () => {
  const { sections } = await start({ heartbeatMs: 5 });
  await expect.poll(() => sections().length).toBeGreaterThan(1);
  expect(sections()[0]?.meta).toMatchObject({ tenant: 'default', cluster: 'eyrie', origin: 'heartbeat', lines: 1 });
});
