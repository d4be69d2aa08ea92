import { copyFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { ActionRecord } from '@eyrie/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgedOutput } from './testing/judged.ts';
import { type TestPlace, testPlace } from './testing/place.ts';
import { runChild } from './testing/run-child.ts';

const ALERTS = 12;
const CONCURRENCY = 4;

let place: TestPlace;
let temporary: TemporaryLog;

beforeEach(() => {
  place = testPlace();
  temporary = temporaryLog();
});
afterEach(async () => {
  await temporary.remove();
  place.remove();
});

const run = (failpoint = '', killAfterMs?: number) => {
  const { rulesDir, scriptsDir } = place;
  return runChild(temporary.dataDir.path, { rulesDir, scriptsDir }, failpoint, killAfterMs);
};

async function crashAndRecover(failpoint: string, killAfterMs?: number): Promise<'killed' | 'ended'> {
  let first: number | null = 0;
  await temporary.reopen(async () => {
    first = await run(failpoint, killAfterMs);
    // What a killed process began goes on by itself.
    await sleep(500);
    expect(await run()).toBe(0);
  });
  return first === null ? 'killed' : 'ended';
}

function installTrace(): string {
  const traces = join(place.path, 'traces');
  place.script(
    'trace.sh',
    `#!/bin/sh\nmkdir -p ${traces}\nmktemp ${traces}/$EYRIE_ACTION_INTENT_KEY.XXXXXX\nsleep 0.05\n`,
  );
  place.rule(
    'trace.yaml',
    `
version: 1
rules:
  - rule: Trace
    id: trace
    mode: enforce
    match: {priority: ">=Notice"}
    actions: [{action: trace, actionner: shell:script, parameters: {script: trace.sh}}]
`,
  );
  return traces;
}

async function judge(traces: string, kills: number): Promise<{ unknown: number }> {
  const records = await temporary.bus.read('actions', 0, 0, { maxBytes: 16 * 1024 * 1024 });
  const last = new Map<string, ActionRecord>();
  for (const { value } of records) {
    const line = JSON.parse(value.toString()) as ActionRecord;
    const before = last.get(line.intent_key);
    // Versions grow by one: no line is written twice, none is missing.
    expect(line.version).toBe((before?.version ?? 0) + 1);
    last.set(line.intent_key, line);
  }
  const files = existsSync(traces) ? readdirSync(traces) : [];
  const ran = new Map<string, number>();
  for (const file of files) {
    const intent = file.split('.')[0] ?? '';
    ran.set(intent, (ran.get(intent) ?? 0) + 1);
  }
  expect(last.size).toBe(ALERTS);
  let unknown = 0;
  for (const [intent, { state, reason }] of last) {
    if (state === 'unknown') {
      unknown += 1;
      expect(reason).toBe('crash');
      expect(ran.get(intent) ?? 0).toBeLessThanOrEqual(1);
    } else {
      expect(state).toBe('succeeded');
      expect(ran.get(intent)).toBe(1);
    }
  }
  expect(unknown).toBeLessThanOrEqual(CONCURRENCY * kills);
  return { unknown };
}

describe('a kill -9 of the responder', () => {
  const points = ['before-intent:1', 'after-intent:2', 'before-effect:6', 'after-effect:1'];
  it.each(points)('at %s runs no script twice and loses none but those in flight, listed unknown', async (point) => {
    const traces = installTrace();
    await temporary.bus.append([judgedOutput(Array.from({ length: ALERTS }, (_, i) => ({ alert: `a${i}` })))]);
    expect(await crashAndRecover(point)).toBe('killed');
    const { unknown } = await judge(traces, 1);
    // Before the intent nothing was begun; after it something was.
    if (point === 'before-intent:1') expect(unknown).toBe(0);
    else expect(unknown).toBeGreaterThan(0);
  });

  const rounds = Math.ceil(2 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1));
  it('at random moments does neither', async () => {
    const traces = installTrace();
    await temporary.bus.append([judgedOutput(Array.from({ length: ALERTS }, (_, i) => ({ alert: `a${i}` })))]);
    let kills = 0;
    for (let round = 0; round < rounds; round += 1) {
      if ((await crashAndRecover('', 500 + Math.random() * 900)) === 'killed') kills += 1;
    }
    await judge(traces, Math.max(1, kills));
  });

  it('would be found out if a script ran twice (negative control)', async () => {
    const traces = installTrace();
    await temporary.bus.append([judgedOutput(Array.from({ length: ALERTS }, (_, i) => ({ alert: `a${i}` })))]);
    await crashAndRecover('');
    const [file = ''] = readdirSync(traces);
    copyFileSync(join(traces, file), join(traces, `${file.split('.')[0]}.again`));
    await expect(judge(traces, 1)).rejects.toThrow();
  });
});
