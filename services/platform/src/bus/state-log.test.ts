import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { keys } from './keys.ts';
import { openKv } from './kv.ts';
import { BlockEncoder } from './state-block.ts';
import { type Changes, history, restored, runHistory } from './state-log.test-support.ts';
import { type StateLog as Log, StateLog } from './state-log.ts';

const RUNS = 300 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);

const directory = mkdtempSync(join(tmpdir(), 'eyrie-state-'));
const kv = openKv(directory, { sync: false, mapBytes: 1024 ** 3 });
const encoder = new BlockEncoder();
let partition = 0;
afterAll(async () => {
  await kv.close();
  rmSync(directory, { recursive: true });
});

test('random steps, aborted, retried or committed, and reopenings leave what a map holds', () => {
  fc.assert(
    fc.property(history, (moves) => runHistory({ StateLog }, kv, nextPartition(), moves)),
    { numRuns: RUNS },
  );
});

const SMALL = { blockBytes: 4_096, slackBytes: 16_384 };
const STEPS = 3_000;

test.each<[name: string, step: (n: number) => Changes]>([
  ['keys written at random', (n) => [0, 1, 2].map((i) => put(`k/${(n * 7_919 + i * 104_729) % 500}`, 80))],
  ['one hot key beside cold ones', (n) => (n < 500 ? [put(`k/${n}`, 80)] : [put('hot', 80)])],
  ['keys made and removed', (n) => [put(`k/${n}`, 3), [`k/${n - 10}`, null]]],
  ['keys that only ever grow in number', (n) => [put(`k/${n}`, 80)]],
  ['all keys removed after a while', (n) => (n < 1_500 ? [put(`k/${n}`, 80)] : [[`k/${n - 1_500}`, null]])],
])('space and work stay bounded: %s', (_, step) => {
  const log = new StateLog(kv, 'alert-state', nextPartition(), encoder, SMALL);
  const model = new Map<string, Buffer>();
  let own = 0;
  let written = 0;
  const counting = countingPuts((bytes) => {
    written += bytes;
  });
  const counted = new StateLog(counting, 'alert-state', log.partition, encoder, SMALL);
  for (let n = 0; n < STEPS; n += 1) {
    const changes = step(n);
    const before = written;
    kv.transact(() => counted.write(changes));
    counted.committed();
    for (const [key, value] of changes) {
      own += 6 + key.length + (value?.length ?? 0);
      if (value === null) model.delete(key);
      else model.set(key, value);
    }
    // A step's own work is bounded too: what it may look through, and one old block more.
    expect(written - before).toBeLessThan(4 * 500 + 64 * 1024 + 2 * SMALL.blockBytes);
  }
  const { held, live } = counted.size();
  expect(held).toBeLessThan(2 * live + SMALL.slackBytes + 2 * SMALL.blockBytes);
  expect(written).toBeLessThan(3 * own);
  expect(new Map(counted.read(''))).toEqual(model);
  expect(log.size()).toEqual({ held, live });
});

test('keys and values of any length that fits a block header', () => {
  const log = new StateLog(kv, 'alert-state', nextPartition(), encoder);
  const changes: Changes = [
    ['', Buffer.alloc(0)],
    ['ü'.repeat(16_384), Buffer.from('long key')],
    ['large', Buffer.alloc(3_000_000, 7)],
    ['after', Buffer.from('it')],
  ];
  kv.transact(() => log.write(changes));
  log.committed();
  const again = new StateLog(kv, 'alert-state', log.partition, encoder);
  const found = restored(again);
  expect(found.map(([key]) => key)).toEqual(changes.map(([key]) => key));
  for (const [i, [, value]] of changes.entries()) expect(value?.equals(found[i]?.[1] ?? Buffer.of(1))).toBe(true);
  expect(again.read('lar')[0]?.[1].length).toBe(3_000_000);
});

test('a block that is cut off or of a newer format is refused', () => {
  const at = nextPartition();
  const write = (bytes: Buffer) => kv.transact(() => kv.put(keys.block('alert-state', at, 0), bytes));
  const open = () => new StateLog(kv, 'alert-state', at, encoder).size();
  write(Buffer.from([1, 0, 1, 0, 0, 0, 9, 0x61]));
  expect(open).toThrow(expect.objectContaining({ code: 'EYRIE_DATA_DIR_DAMAGED' }));
  write(Buffer.from([1, 0, 1]));
  expect(open).toThrow(expect.objectContaining({ code: 'EYRIE_DATA_DIR_DAMAGED' }));
  write(Buffer.from([2]));
  expect(open).toThrow(expect.objectContaining({ code: 'EYRIE_DATA_DIR_NEWER' }));
});

function nextPartition(): number {
  partition += 1;
  return partition;
}

function put(key: string, bytes: number): Changes[number] {
  return [key, Buffer.alloc(bytes, key)];
}

function countingPuts(count: (bytes: number) => void): ConstructorParameters<typeof Log>[0] {
  return {
    ...kv,
    put: (key, value) => {
      count(value.length);
      kv.put(key, value);
    },
  };
}
