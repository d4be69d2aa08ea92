import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findUnsynced, readTrace, type SyncAnswer, startTraced, straceAvailable } from './strace.ts';

const APPENDS = 200;
const STEPS = APPENDS / 4;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-sync-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const available = straceAvailable();
if (!available) console.error('LEFT OUT: strace is not installed, so nothing shows that an answer follows a sync');

test('strace is there where it must be', () => {
  if (process.env['CI'] === 'true') expect(available).toBe(true);
});

test.skipIf(!available)('append and transact resolve only after a completed sync of their bytes', async () => {
  const answer = await trace({});
  expect(answer.violations).toEqual([]);
  expect(answer.acknowledged).toBe(APPENDS + STEPS);
  expect(answer.syncs).toBeGreaterThan(10);
  // What is asked for in one turn of the event loop shares a sync.
  expect(answer.syncs).toBeLessThan(APPENDS);
});

test.skipIf(!available)('with sync off the same check finds every single promise broken', async () => {
  const answer = await trace({ EYRIE_BUS_SYNC: 'off' });
  expect(answer.acknowledged).toBe(APPENDS + STEPS);
  expect(answer.violations).toHaveLength(APPENDS + STEPS);
});

async function trace(env: NodeJS.ProcessEnv): Promise<SyncAnswer> {
  const traceFile = join(directory, 'trace');
  const child = startTraced(
    [process.execPath, join(import.meta.dirname, 'append-child.ts'), join(directory, 'data'), String(APPENDS)],
    { traceFile, env },
  );
  child.stdout.resume();
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  return await findUnsynced(readTrace(traceFile), {
    isLog: (path) => path.endsWith('/data.mdb'),
    marker: /marker-[a-z]+-\d+-/g,
    acknowledges: ({ name, descriptor, text }) => {
      const safe = name === 'write' && descriptor === 1 ? /safe (marker-[a-z]+-\d+-)/.exec(text)?.[1] : undefined;
      return safe === undefined ? [] : [safe];
    },
  });
}
