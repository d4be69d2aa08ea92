/**
 * kill -9 at random moments and at every failpoint while events are sent with retry: accepted = stored, nothing lost,
 * nothing doubled, alerts as in an undisturbed run, a script never twice.
 * A few small rounds by default; EYRIE_CHAOS=full runs 25 rounds of 50,000 events (`make chaos`).
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@eyrie/platform/testing/free-port';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createInput } from '../../bench/input.ts';
import { EndedBeforeReady, type Running, startEyrie, temporaryDirectory } from '../../bench/process.ts';
import { writeTraceResponse } from '../../services/cli/src/demo/response.ts';
import { sendFiles } from '../../services/cli/src/send.ts';
import { FAILPOINTS } from '../../services/platform/src/failpoint.ts';

const FULL = process.env['EYRIE_CHAOS'] === 'full';
const EVENTS = FULL ? 50_000 : 3_000;
const ROUNDS = FULL ? 25 : 2;
const SCRIPTS = 4;
/** So many equal looks, half a second apart, count as rest: a reader that starts anew may wait for seconds. */
const QUIET_POLLS = 8;
const TOKEN = 'eyrie_test-intake-token-0123456789abcdefghij';
const API_TOKEN = 'eyrie_test-api-token-0123456789abcdefghijklm';

const root = temporaryDirectory('chaos');
const file = join(root.path, 'events.jsonl');
let undisturbed: Result;

interface Result {
  readonly rows: number;
  readonly ids: number;
  /** alert_id → count, first and last seen. */
  readonly alerts: Map<string, string>;
  readonly traces: string[];
  readonly unknown: number;
  /** Pairs of alert and target the rule must answer. */
  readonly due: number;
  readonly reconciliation: number;
}

beforeAll(async () => {
  const input = createInput({ seed: 7, workloads: 20 });
  writeFileSync(file, `${input.lines(EVENTS).join('\n')}\n`);
  undisturbed = await round('undisturbed', undefined);
  expect(undisturbed.rows).toBe(EVENTS);
  expect(undisturbed.alerts.size).toBeGreaterThan(100);
  // Every (alert, target) of a critical detection was acted on: nothing is lost without a kill either.
  expect(undisturbed.traces.length).toBe(undisturbed.due);
  expect(undisturbed.due).toBeGreaterThan(10);
}, 600_000);

afterAll(() => root.remove());

for (const failpoint of FAILPOINTS) {
  it(`survives a kill at ${failpoint}`, async () => expectSame(await round(failpoint, { failpoint })), 600_000);
}

for (let n = 1; n <= ROUNDS; n += 1) {
  it(
    `survives kills at random moments, round ${n}`,
    async () => expectSame(await round(`random-${n}`, { random: n })),
    600_000,
  );
}

function expectSame(result: Result & { kills?: number }): void {
  expect(result.rows).toBe(EVENTS);
  expect(result.ids).toBe(EVENTS);
  expect(result.reconciliation).toBe(0);
  expect(new Map([...result.alerts].sort())).toEqual(new Map([...undisturbed.alerts].sort()));
  // Never twice; once for each (alert, target) but those in flight at a kill, each of which stands as unknown.
  expect(new Set(result.traces).size).toBe(result.traces.length);
  const missing = undisturbed.traces.filter((trace) => !result.traces.includes(trace));
  expect(missing.length).toBeLessThanOrEqual(result.unknown);
  expect(result.unknown).toBeLessThanOrEqual(SCRIPTS * (result.kills ?? 1));
}

/** One run: send everything while the process is killed, then ask for what is there. */
async function round(
  name: string,
  disturbance: { failpoint?: string; random?: number } | undefined,
): Promise<Result & { kills: number }> {
  const dataDir = join(root.path, name);
  const trace = join(root.path, `${name}.trace`);
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(trace, '');
  const { rules, scripts } = writeTraceResponse(join(root.path, `${name}-response`), {
    trace,
    match: { priority: '>=Critical' },
  });
  const gatewayPort = await freePort();
  const env = {
    EYRIE_INTAKE_TOKEN: TOKEN,
    EYRIE_API_TOKEN: API_TOKEN,
    EYRIE_SCRIPTS_DIR: scripts,
    EYRIE_RESPONDER_SCRIPTS_MAX: String(SCRIPTS),
    EYRIE_LOG_LEVEL: 'error',
  };
  const start = (extra: Record<string, string> = {}) =>
    startEyrie(dataDir, { gatewayPort, args: ['--rules', rules], env: { ...env, ...extra } });

  let kills = 0;
  let isSent = false;
  const sending = sendFiles({
    files: [file],
    url: `http://127.0.0.1:${gatewayPort}`,
    token: TOKEN,
    batch: 100,
    stateFile: join(root.path, `${name}.state`),
  }).finally(() => {
    isSent = true;
  });

  let running: Running | undefined;
  if (disturbance?.failpoint !== undefined) {
    // Killed at the 3rd pass, then again at the 1st pass of the next life: recovery itself is interrupted too.
    for (const pass of [3, 1]) {
      try {
        const armed = await start({ EYRIE_FAILPOINT: `${disturbance.failpoint}:${pass}` });
        await Promise.race([new Promise((resolve) => armed.child.once('exit', resolve)), wait(15_000)]);
        if (armed.child.signalCode === 'SIGKILL') kills += 1;
        else await armed.stop('SIGKILL');
      } catch (error) {
        if (!(error instanceof EndedBeforeReady)) throw error;
        kills += 1;
      }
    }
    expect(kills, `failpoint ${disturbance.failpoint} was never passed`).toBeGreaterThan(0);
  }
  if (disturbance?.random !== undefined) {
    let seed = disturbance.random * 2_654_435_761;
    const kill = async (until: Promise<unknown>, longestMs: number) => {
      running = await start();
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      await Promise.race([until, wait(100 + (seed % longestMs))]);
      await running.stop('SIGKILL');
      kills += 1;
    };
    while (!isSent && kills < 8) await kill(sending, FULL ? 3_000 : 700);
    // Once more where only judging, archiving and actions are under way.
    await kill(new Promise(() => {}), 700);
  }
  running = await start();
  const sent = await sending;
  expect(sent.accepted).toBe(EVENTS);
  const result = await settled(running, trace);
  expect(await running.stop()).toBe(0);
  return { ...result, kills };
}

/** Waits until nothing changes any more and no action is under way, then reads everything. */
async function settled(running: Running, trace: string): Promise<Result> {
  let before = '';
  for (let quiet = 0; quiet < QUIET_POLLS; ) {
    await wait(500);
    const [state] = await sql<{ events: string; versions: string; open: string }>(
      running,
      `SELECT (SELECT count() FROM events) AS events,
        concat(toString((SELECT sum(version) FROM alerts)), ' ', toString((SELECT sum(version) FROM actions))) AS versions,
        (SELECT count() FROM actions WHERE state IN ('planned', 'executing')) AS open`,
    );
    const now = `${state?.events} ${state?.versions} ${readFileSync(trace, 'utf8').length}`;
    const isAtRest = now === before && Number(state?.events) >= EVENTS && Number(state?.open) === 0;
    quiet = isAtRest ? quiet + 1 : 0;
    before = now;
  }
  const [counts] = await sql<{ rows: string; ids: string }>(
    running,
    'SELECT count() AS rows, uniqExact(event_id) AS ids FROM events',
  );
  const alerts = await sql<{ alert_id: string; count: string; first_seen: string; last_seen: string }>(
    running,
    'SELECT alert_id, count, toString(first_seen) AS first_seen, toString(last_seen) AS last_seen FROM alerts ORDER BY alert_id LIMIT 100000',
  );
  const [unknown] = await sql<{ n: string }>(running, "SELECT count() AS n FROM actions WHERE state = 'unknown'");
  const [due] = await sql<{ n: string }>(
    running,
    "SELECT uniqExact(alert_id, container_id) AS n FROM events WHERE priority IN ('Critical', 'Alert', 'Emergency')",
  );
  const monthly = await (
    await fetch(`${running.ready.console}/v1/metrics/monthly-alerts`, {
      headers: { authorization: `Bearer ${API_TOKEN}` },
    })
  ).json();
  return {
    rows: Number(counts?.rows),
    ids: Number(counts?.ids),
    alerts: new Map(alerts.map((a) => [a.alert_id, `${a.count} ${a.first_seen} ${a.last_seen}`])),
    traces: readFileSync(trace, 'utf8').split('\n').filter(Boolean),
    unknown: Number(unknown?.n),
    due: Number(due?.n),
    reconciliation: (monthly as { reconciliation: { difference: number } }).reconciliation.difference,
  };
}

async function sql<T>(running: Running, statement: string): Promise<T[]> {
  const { selectOverSocket } = await import('../../services/platform/src/store/sql-client.ts');
  const dataDir = running.child.spawnargs[running.child.spawnargs.indexOf('--data-dir') + 1] ?? '';
  const result = await selectOverSocket(dataDir, statement, { timeoutMs: 30_000, maxRows: 200_000 });
  return result.rows.map((row) => Object.fromEntries(result.columns.map(({ name }, i) => [name, row[i]])) as T);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
