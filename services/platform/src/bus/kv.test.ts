import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Kv, openKv } from './kv.ts';

const MIB = 1024 * 1024;
const FROM = key(0);
const TO = key(999_999);

let directory: string;
let kv: Kv;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-kv-'));
});
afterEach(async () => {
  await kv.close();
  rmSync(directory, { recursive: true });
});

test('a file mapped anew after every few reads holds what a map holds, also inside scans and transactions', async () => {
  kv = open(1_000);
  const model = new Map<number, number>();
  for (let i = 0; i < 400; i += 1) {
    const at = i % 50;
    kv.transact(() => {
      kv.put(key(at), Buffer.alloc(3_000 + i, i % 251));
      expect(kv.get(key(at))?.length).toBe(3_000 + i);
      kv.remove(key((i + 3) % 50));
    });
    model.set(at, i);
    model.delete((i + 3) % 50);
    expect(() =>
      kv.transact(() => {
        kv.put(key(at), Buffer.of(1));
        throw new RangeError('undone');
      }),
    ).toThrow('undone');
    const found = new Map<number, number>();
    kv.scan(FROM, TO, (name, value) => {
      found.set(Number(name), value.length - 3_000);
      return kv.get(name)?.equals(value) === true;
    });
    expect(found).toEqual(new Map([...model].sort(([a], [b]) => a - b)));
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

test.each([
  ['stays small', 8 * MIB, (mapped: number) => mapped < 24 * MIB],
  ['grows without the bound', Number.POSITIVE_INFINITY, (mapped: number) => mapped > 56 * MIB],
])('resident memory of a file that is read once %s', (_, mappedBytes, isExpected) => {
  kv = open(mappedBytes);
  for (let i = 0; i < 256; i += 1) kv.transact(() => kv.put(key(i), Buffer.alloc(MIB / 4, i)));
  const before = mapped();
  for (let i = 0; i < 256; i += 1) kv.get(key(i));
  expect(mapped() - before).toSatisfy(isExpected);
});

function open(mappedBytes: number): Kv {
  return openKv(directory, { sync: false, mapBytes: 1024 * MIB, mappedBytes });
}

function key(number: number): Buffer {
  return Buffer.from(String(number).padStart(6, '0'));
}

function mapped(): number {
  return Number(/^RssFile:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
}
