import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findUnsynced, readTrace, type SyncAnswer, startTraced, straceAvailable } from './strace.ts';

const POSTS = 1000;
const CONNECTIONS = 4;
/** Lines over this are refused with their length: by it an answer names the post it belongs to. */
const EVENT_BYTES = 500;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-post-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const available = straceAvailable();

test.skipIf(!available)(`each of ${POSTS} answers of 200 follows a completed sync of its bytes`, async () => {
  const answer = await trace({});
  expect(answer.violations).toEqual([]);
  expect(answer.acknowledged).toBe(POSTS);
  expect(answer.syncs).toBeGreaterThan(10);
});

test.skipIf(!available)('with sync off the same check finds every answer untrue', async () => {
  const answer = await trace({ EYRIE_BUS_SYNC: 'off' });
  expect(answer.acknowledged).toBe(POSTS);
  expect(answer.violations).toHaveLength(POSTS);
});

async function trace(env: NodeJS.ProcessEnv): Promise<SyncAnswer> {
  const [traceFile, data, stop] = ['trace', 'data', 'stop'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const child = startTraced(
    [process.execPath, join(import.meta.dirname, 'gateway-child.ts'), data, stop, String(EVENT_BYTES)],
    { traceFile, dataBytes: 64 * 1024, env },
  );
  const ended = once(child, 'close');
  const [address] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  await postAll(address);
  writeFileSync(stop, '');
  expect((await ended)[0]).toBe(0);
  return await findUnsynced(readTrace(traceFile), {
    isLog: (path) => path.endsWith('/data.mdb'),
    marker: /marker-post-\d+-/g,
    acknowledges: ({ name, text }) =>
      /^writev?$|^send/.test(name) && text.includes('HTTP/1.1 200')
        ? [...text.matchAll(/the event has (\d+) bytes/g)].map(
            ([, bytes]) => `marker-post-${Number(bytes) - EVENT_BYTES}-`,
          )
        : [],
  });
}

async function postAll(address: string): Promise<void> {
  const pool = new Pool(address, { connections: CONNECTIONS });
  let next = 0;
  const worker = async () => {
    while (next < POSTS) {
      next += 1;
      const event = {
        rule: `marker-post-${next}-`,
        priority: 'Notice',
        time: '2026-11-24T10:00:00.0Z',
        output_fields: {},
      };
      const body = `${JSON.stringify(event)}\n${'x'.repeat(EVENT_BYTES + next)}\n`;
      const answer = await pool.request({
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-ndjson', 'x-eyrie-token': 'any' },
        body,
      });
      expect(answer.statusCode).toBe(200);
      expect(await answer.body.json()).toMatchObject({ accepted: 1, rejected: [{ code: 'line_too_long' }] });
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  await pool.close();
}
