import { expect, test } from 'vitest';
import type { Clock } from '../clock.ts';
import { temporaryLog } from '../testing/temporary-log.ts';
import type { Bus, GroupSpec } from './bus.ts';

const DAY_MS = 86_400_000;
const GROUP: GroupSpec = { group: 'prepare', inputs: ['raw'] };
const KIB = 1024;

test('records go when their time is over, but the last one stays', async () => {
  const clock = movableClock();
  const temporary = temporaryLog({ clock });
  const { bus } = temporary;
  await bus.append(frames(100, 10));
  clock.move(6 * DAY_MS);
  await bus.append(frames(1, 10));
  await temporary.bus.retain();
  expect(await bus.bounds('raw', 0)).toEqual({ start: 0, end: 101 });
  clock.move(2 * DAY_MS);
  await temporary.bus.retain();
  expect(await bus.bounds('raw', 0)).toEqual({ start: 100, end: 101 });
  clock.move(9 * DAY_MS);
  await temporary.bus.retain();
  expect(await bus.bounds('raw', 0)).toEqual({ start: 100, end: 101 });
  const reopened = await temporary.reopen();
  expect(await reopened.bounds('raw', 0)).toEqual({ start: 100, end: 101 });
  expect(reopened.bytes()).toBe(bus.bytes());
  await temporary.remove();
});

test('beyond the byte target read records go, the oldest first; unread ones never', async () => {
  const temporary = temporaryLog({ maxBytes: 10 * 1024 * KIB, retention: { targetBytes: 200 * KIB } });
  const { bus } = temporary;
  await register(bus, GROUP);
  await bus.append(frames(100, 10 * KIB));
  await temporary.bus.retain();
  expect((await bus.bounds('raw', 0)).start).toBe(0);
  await advance(bus, GROUP, 50);
  await temporary.bus.retain();
  expect((await bus.bounds('raw', 0)).start).toBe(50);
  await advance(bus, GROUP, 100);
  await temporary.bus.retain();
  const { start } = await bus.bounds('raw', 0);
  expect(start).toBeGreaterThan(75);
  expect(start).toBeLessThan(85);
  expect(temporary.bus.bytes()).toBeLessThanOrEqual(210 * KIB);
  await bus.removeGroup(GROUP.group);
  await temporary.remove();
});

test('at the byte bound intake is refused until a reader goes on; steps still pass', async () => {
  const temporary = temporaryLog({ maxBytes: 500 * KIB, retention: { targetBytes: 100 * KIB } });
  const { bus, metrics } = temporary;
  await register(bus, GROUP);
  let refused = 0;
  for (let i = 0; i < 100; i += 1) {
    await bus.append(frames(1, 10 * KIB)).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'EYRIE_BUS_FULL', retryable: true });
      refused += 1;
    });
  }
  const { end } = await bus.bounds('raw', 0);
  expect(refused).toBe(100 - end);
  expect(end).toBe(50);
  expect(await metrics.read('eyrie_bound_reached_total')).toContainEqual([{ bound: 'bus_bytes' }, refused]);
  await advance(bus, GROUP, end, [{ topic: 'events', partition: 0, value: Buffer.alloc(10 * KIB) }]);
  await temporary.bus.retain();
  await bus.append(frames(1, 10 * KIB));
  await temporary.remove();
});

test('a position below the start of the log is counted as loss, never passed over', async () => {
  const temporary = temporaryLog({ maxBytes: 10 * 1024 * KIB, retention: { targetBytes: 100 * KIB } });
  await temporary.bus.append(frames(50, 10 * KIB));
  await register(temporary.bus, GROUP);
  await temporary.bus.removeGroup(GROUP.group);
  await temporary.bus.retain();
  const { start } = await temporary.bus.bounds('raw', 0);
  expect(start).toBeGreaterThan(0);
  // As after restoring positions that are older than the log.
  await rewind(temporary.dataDir.path, temporary);
  const { bus } = temporary;
  const [position] = await bus.groups();
  expect(position).toMatchObject({ group: 'prepare', next: 3 });
  const membership = bus.join(GROUP, async (assigned) => {
    expect(assigned.position('raw')).toEqual({ next: start, note: 'kept' });
  });
  await membership.done;
  const [health] = await bus.read('health', 0, 0);
  expect(JSON.parse(String(health?.value))).toMatchObject({
    kind: 'loss',
    count: start - 3,
    fields: { group: 'prepare', topic: 'raw', partition: '0', from: '3', to: String(start) },
  });
  expect(await temporary.metrics.read('eyrie_bus_lost_records_total')).toEqual([
    [{ group: 'prepare', topic: 'raw' }, start - 3],
  ]);
  await bus.join(GROUP, async () => undefined).done;
  expect(await bus.read('health', 0, 1)).toEqual([]);
  await temporary.remove();
});

test('a tombstone goes after a day, with its key', async () => {
  const clock = movableClock();
  const temporary = temporaryLog({ clock });
  const { bus } = temporary;
  const put = (key: string, value: string) =>
    bus.append([{ topic: 'workloads', partition: 0, key, value: Buffer.from(value) }]);
  await put('a', 'one');
  await put('a', '');
  await put('b', 'two');
  await temporary.bus.retain();
  expect((await bus.read('workloads', 0, 0)).map(({ key, value }) => `${key}=${value}`)).toEqual(['a=', 'b=two']);
  clock.move(2 * DAY_MS);
  await temporary.bus.retain();
  expect((await bus.read('workloads', 0, 0)).map(({ key }) => key)).toEqual(['b']);
  await put('a', 'three');
  const reopened = await temporary.reopen();
  expect((await reopened.read('workloads', 0, 0)).map(({ key, offset }) => [key, offset])).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
  await temporary.remove();
});

async function register(bus: Bus, spec: GroupSpec): Promise<void> {
  await bus.join(spec, async () => undefined).done;
}

async function advance(bus: Bus, spec: GroupSpec, next: number, outputs: Parameters<Bus['append']>[0] = []) {
  const run = bus.join(spec, async (assigned) => {
    await assigned.transact({ positions: [{ topic: 'raw', next }], outputs });
  });
  await run.done;
}

/** Writes an old position into the closed log, and opens it again. */
async function rewind(path: string, temporary: ReturnType<typeof temporaryLog>): Promise<void> {
  const { openKv } = await import('./kv.ts');
  const { Positions } = await import('./positions.ts');
  await temporary.bus.close();
  const kv = openKv(`${path}/log`, { sync: true, mapBytes: 1024 ** 3 });
  kv.transact(() => new Positions(kv).put(GROUP.group, 'raw', 0, { next: 3, note: 'kept' }));
  await kv.close();
  await temporary.reopen();
}

function frames(count: number, bytes: number) {
  // 19 bytes of header make up the round size.
  return Array.from({ length: count }, () => ({
    topic: 'raw' as const,
    partition: 0,
    value: Buffer.alloc(Math.max(1, bytes - 19), 'x'),
  }));
}

function movableClock(): Clock & { move(ms: number): void } {
  let now = Date.now();
  return {
    now: () => now,
    move: (ms) => {
      now += ms;
    },
    sleep: (_, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
}
