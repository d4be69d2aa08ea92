import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SendOptions, type SendProgress, sendFiles } from './send.ts';
import { cut } from './send-batches.ts';

let directory = '';
let server: Server;
let url = '';
/** Bodies that were answered with 200, and what to answer next. */
let taken: string[];
let answers: number[];
let listen: RequestListener | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-send-'));
  taken = [];
  answers = [];
  listen = undefined;
  server = createServer((request, response) => {
    if (listen !== undefined) return void listen(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const status = answers.shift() ?? 200;
      const body = Buffer.concat(chunks).toString('utf8');
      const lines = body.split('\n').slice(0, -1);
      if (status === 200) taken.push(body);
      const rejected = lines.flatMap((line, index) =>
        line === 'bad' ? [{ index, code: 'not_json', message: '' }] : [],
      );
      response.statusCode = status;
      response.end(
        JSON.stringify(
          status === 200
            ? { accepted: lines.length - rejected.length, rejected }
            : { error: { code: 'EYRIE_X', message: 'why', requestId: '1' } },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

const path = (name: string) => join(directory, name);
const send = (options: Partial<SendOptions>) => sendFiles({ files: [path('a')], url, token: 'eyrie_x', ...options });
const numbers = (count: number) => Array.from({ length: count }, (_, i) => `{"n":${i}}\n`).join('');

describe('send', () => {
  it('posts every line of plain and gzip files, in order and in batches', async () => {
    writeFileSync(path('a'), numbers(1201));
    writeFileSync(path('b'), gzipSync('x\nbad\ny'));
    expect(await send({ files: [path('a'), path('b')] })).toEqual({ sent: 1204, accepted: 1203, rejected: 1 });
    expect(taken.join('')).toBe(`${numbers(1201)}x\nbad\ny\n`);
    expect(taken).toHaveLength(4);
  });

  it('repeats what was not answered with 200, and only that', async () => {
    writeFileSync(path('a'), numbers(30));
    answers = [503, 200, 429, 408, 500, 200];
    const waits: SendProgress[] = [];
    const result = await send({ batch: 10, onProgress: (p) => p.waiting && waits.push(p) });
    expect(result).toEqual({ sent: 30, accepted: 30, rejected: 0 });
    expect(taken.join('')).toBe(numbers(30));
    expect(waits.map(({ waiting }) => waiting?.reason)).toEqual(
      [503, 429, 408, 500].map((s) => expect.stringContaining(`${s}`)),
    );
  });

  it('waits for a gateway that is not there yet, or cuts the connection', async () => {
    writeFileSync(path('a'), numbers(10));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const sending = send({});
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(taken).toEqual([]);
    let cuts = 2;
    server.prependListener('request', (request) => {
      cuts -= 1;
      if (cuts >= 0) request.socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((await sending).accepted).toBe(10);
    expect(new Set(taken)).toEqual(new Set([numbers(10)]));
  });

  it.each([
    [401, 'check --token'],
    [403, 'scope intake'],
    [404, 'check --url'],
    [400, 'EYRIE_X: why'],
  ])('gives up on %i and says what to do', async (status, advice) => {
    writeFileSync(path('a'), numbers(3));
    answers = [status];
    await expect(send({})).rejects.toMatchObject({
      code: 'EYRIE_SEND_FAILED',
      message: expect.stringContaining(advice),
    });
  });

  it('does not take just any 200 for an answer', async () => {
    writeFileSync(path('a'), numbers(3));
    listen = (_request, response) => response.end('<html>');
    await expect(send({})).rejects.toMatchObject({ code: 'EYRIE_SEND_FAILED' });
  });

  it('goes on where it was stopped, also when the file has grown', async () => {
    writeFileSync(path('a'), numbers(100));
    const stateFile = path('state');
    answers = [200, 200, 401];
    await expect(send({ batch: 20, stateFile })).rejects.toThrow('401');
    expect(taken.join('')).toBe(numbers(40));
    appendFileSync(path('a'), 'more');
    expect(await send({ batch: 20, stateFile })).toEqual({ sent: 61, accepted: 61, rejected: 0 });
    expect(taken.join('')).toBe(`${numbers(100)}more\n`);
    expect((await send({ stateFile })).sent).toBe(0);
    appendFileSync(path('a'), '\nlast\n');
    await send({ stateFile });
    expect(taken.at(-1)).toBe('\nlast\n');
    expect(readFileSync(stateFile, 'utf8')).not.toContain('eyrie_x');
  });

  it('starts anew for another file of the same name', async () => {
    const stateFile = path('state');
    writeFileSync(path('a'), numbers(10));
    await send({ stateFile });
    writeFileSync(path('a'), `x${numbers(10)}`);
    expect((await send({ stateFile })).sent).toBe(10);
    writeFileSync(stateFile, 'garbage');
    await expect(send({ stateFile })).rejects.toMatchObject({ code: 'EYRIE_INPUT_UNREADABLE' });
  });

  it('halves a batch over the bound of the gateway down to the line that is', async () => {
    writeFileSync(path('a'), `1\n2\n${'y'.repeat(2000)}\n4\n5\n`);
    listen = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        response.statusCode = body.length > 1000 ? 413 : 200;
        if (response.statusCode === 200) taken.push(body);
        response.end(JSON.stringify({ accepted: body.split('\n').length - 1, rejected: [] }));
      });
    };
    expect(await send({})).toEqual({ sent: 5, accepted: 4, rejected: 1 });
    expect(taken.join('')).toBe('1\n2\n4\n5\n');
  });

  it('keeps to a rate', async () => {
    writeFileSync(path('a'), numbers(60));
    const start = performance.now();
    await send({ rate: 100 });
    const seconds = (performance.now() - start) / 1000;
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(2);
  });

  it('ends when told to', async () => {
    writeFileSync(path('a'), numbers(60));
    const controller = new AbortController();
    const sending = send({ batch: 10, signal: controller.signal, onProgress: () => controller.abort() });
    await expect(sending).rejects.toMatchObject({ code: 'EYRIE_SEND_FAILED' });
    expect(taken).toHaveLength(1);
  });

  it('names what it cannot use before it sends anything', async () => {
    await expect(send({})).rejects.toMatchObject({ code: 'EYRIE_INPUT_UNREADABLE' });
    writeFileSync(path('a'), 'x\n');
    for (const wrong of [{ url: 'gateway:2801' }, { token: 'a\nb' }, { stateFile: path('no/state') }]) {
      await expect(send(wrong)).rejects.toMatchObject({ code: 'EYRIE_USAGE' });
    }
    expect(taken).toEqual([]);
  });
});

describe('cut', () => {
  it('loses no byte and keeps to its bounds', () => {
    const text = fc
      .array(fc.string({ maxLength: 30 }).map((line) => line.replaceAll('\n', '')))
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 99 }), (block, lines, bytes) => {
        const batches = [...cut(Buffer.from(block), 0, { lines, bytes })];
        expect(Buffer.concat(batches.map((batch) => batch.bytes)).toString('utf8')).toBe(block);
        for (const batch of batches) {
          const found = batch.bytes.toString('utf8').split('\n').length - 1;
          expect(batch.lines).toBe(found);
          expect(found).toBeGreaterThan(0);
          expect(found <= lines && (found === 1 || batch.bytes.length <= bytes)).toBe(true);
        }
      }),
      { numRuns: 200 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1) },
    );
  });
});
