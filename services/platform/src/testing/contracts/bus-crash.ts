import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Bus } from '../../bus/bus.ts';
import type { BusUnderTest } from './bus.ts';
import { COUNT_KEY, CRASH_GROUP } from './bus-child.ts';
import { readAll } from './read-all.ts';

const FAILPOINTS = [
  'before-log-commit',
  'after-log-commit',
  'before-state-commit',
  'after-state-commit',
  'before-position-commit',
  'after-position-commit',
];
const RANDOM_KILLS = 3 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const SOON_MS = 150;

/** Kills a working process again and again over one storage, and checks after each time what is left. */
export async function crashRounds(under: BusUnderTest): Promise<void> {
  let first = 0;
  let counted = 0;
  const rounds: (string | undefined)[] = [
    ...FAILPOINTS.map((name, i) => `${name}:${5 + i * 3}`),
    ...Array.from({ length: RANDOM_KILLS }, () => undefined),
  ];
  for (const round of rounds) {
    let promised = { appended: first, counted };
    const bus = await under.reopen(async () => {
      promised = await killed(under.child, first, round);
    });
    const left = await whatIsLeft(bus);
    expect(left.appended).toBeGreaterThanOrEqual(Math.max(promised.appended, first));
    expect(left.counted).toBeGreaterThanOrEqual(Math.max(promised.counted, counted));
    first = left.appended;
    counted = left.counted;
  }
  expect(counted).toBeGreaterThan(0);
}

async function killed(
  child: BusUnderTest['child'],
  first: number,
  failpoint: string | undefined,
): Promise<{ appended: number; counted: number }> {
  const script = join(import.meta.dirname, 'bus-child.ts');
  const running = spawn(process.execPath, [script, child.module, child.argument], {
    env: { ...process.env, CRASH_FIRST: String(first), ...(failpoint && { EYRIE_FAILPOINT: failpoint }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const promised = { appended: 0, counted: 0 };
  let rest = '';
  let killing = failpoint !== undefined;
  running.stdout.on('data', (chunk: Buffer) => {
    if (!killing) setTimeout(() => running.kill('SIGKILL'), Math.random() * SOON_MS);
    killing = true;
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [what, number] = line.split(' ');
      if (what === 'appended' || what === 'counted') promised[what] = Number(number);
    }
  });
  const signal = await new Promise((resolve) => running.once('close', (_, how) => resolve(how)));
  expect(signal).toBe('SIGKILL');
  return promised;
}

/** Reads everything, and checks that each step is there whole or not at all. */
async function whatIsLeft(bus: Bus): Promise<{ appended: number; counted: number }> {
  const events = (await readAll(bus, 'events', 0)).map(({ value }) => Number(value));
  expect(events).toEqual(Array.from(events, (_, i) => i));
  const alerts = (await readAll(bus, 'alerts', 0)).map(({ value }) => Number(value));
  expect(alerts).toEqual(events.slice(0, alerts.length));
  const state = new Map(await bus.readState('alert-state', 0, ''));
  expect(Number(state.get(COUNT_KEY) ?? 0)).toBe(alerts.length);
  let note: string | undefined;
  let next = 0;
  await bus.join(CRASH_GROUP, async (assigned) => {
    if (assigned.partition === 0) ({ note, next } = { note: undefined, ...assigned.position('events') });
  }).done;
  expect(Number(note ?? 0)).toBe(alerts.length);
  const unread = await bus.read('events', 0, next, { maxBytes: 64 * 1024 * 1024 });
  expect(unread).toHaveLength(events.length - alerts.length);
  return { appended: events.length, counted: alerts.length };
}
