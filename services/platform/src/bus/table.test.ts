import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../log.ts';
import { type TemporaryLog, temporaryLog } from '../testing/temporary-log.ts';
import type { Bus } from './bus.ts';
import { followTable } from './table.ts';

const log = createLogger({ name: 'test', level: 'silent' });
let temporary: TemporaryLog;
beforeEach(() => {
  temporary = temporaryLog({ partitions: { shared: 2 } });
});
afterEach(() => temporary.remove());

test('ready means all that was there; later records and tombstones follow', async () => {
  await put(temporary.bus, 'a', '1', 0);
  await put(temporary.bus, 'a', '2', 0);
  await put(temporary.bus, 'b', '1', 1);
  const seen: string[] = [];
  const table = followTable(temporary.bus, 'workloads', {
    onRecord: (key, value) => seen.push(`${key}=${value}`),
    log,
  });
  await table.ready;
  expect(seen.sort()).toEqual(['a=2', 'b=1']);
  expect([table.position(0), table.position(1)]).toEqual([2, 1]);
  await put(temporary.bus, 'b', '', 1);
  await until(() => seen.length === 3);
  expect(seen[2]).toBe('b=null');
  await table.stop();
  await put(temporary.bus, 'c', '1', 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toHaveLength(3);
});

test('an empty topic is ready at once, a long one is read in several parts', async () => {
  const empty = followTable(temporary.bus, 'images', { onRecord: () => undefined, log });
  await empty.ready;
  await empty.stop();
  await temporary.bus.append(
    Array.from({ length: 300 }, (_, i) => ({
      topic: 'workloads' as const,
      partition: 0,
      key: `k${i}`,
      value: Buffer.alloc(10_000, i),
    })),
  );
  const keys = new Set<string>();
  const table = followTable(temporary.bus, 'workloads', { onRecord: (key) => keys.add(key), log });
  await table.ready;
  expect(keys.size).toBe(300);
  await table.stop();
});

test('a record that nobody expected keeps no one from the others, before the end and after it', async () => {
  const seen: string[] = [];
  const onRecord = (key: string) => {
    if (key.startsWith('bad')) throw new TypeError('nobody expected this');
    seen.push(key);
  };
  await put(temporary.bus, 'bad1', '1', 0);
  await put(temporary.bus, 'a', '1', 0);
  const table = followTable(temporary.bus, 'workloads', { onRecord, log });
  await table.ready;
  await put(temporary.bus, 'bad2', '1', 0);
  await put(temporary.bus, 'b', '1', 0);
  await until(() => seen.length === 2);
  expect(seen).toEqual(['a', 'b']);
  await table.stop();
});

test('a log that cannot be read before the end rejects ready; after it, following waits and goes on', async () => {
  const broken: Bus = { ...temporary.bus, bounds: () => Promise.reject(new Error('gone')) };
  const table = followTable(broken, 'workloads', { onRecord: () => undefined, log });
  await expect(table.ready).rejects.toThrow('gone');
  await table.stop();

  let fail = false;
  const seen: string[] = [];
  const flaky: Bus = {
    ...temporary.bus,
    follow: (...args) => (fail ? Promise.reject(new Error('gone')) : temporary.bus.follow(...args)),
  };
  fail = true;
  const follower = followTable(flaky, 'workloads', { onRecord: (key) => seen.push(key), log });
  await follower.ready;
  await put(temporary.bus, 'a', '1', 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toEqual([]);
  fail = false;
  await until(() => seen.length === 1);
  await follower.stop();
});

function put(bus: Bus, key: string, value: string, partition: number) {
  return bus.append([{ topic: 'workloads', partition, key, value: Buffer.from(value) }]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
