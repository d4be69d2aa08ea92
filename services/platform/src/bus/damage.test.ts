import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { temporaryLog } from '../testing/temporary-log.ts';
import { openLog } from './log.ts';

const DAMAGE: readonly (readonly [string, (good: Buffer) => Buffer])[] = [
  ['random bytes', (good) => Buffer.from(good.map((_, i) => (i * 7919 + 13) % 251))],
  ['zeros', (good) => Buffer.alloc(good.length)],
  ['text', () => Buffer.from('this is not a log\n'.repeat(9_000))],
  ['the first 100 bytes', (good) => good.subarray(0, 100)],
  ['the first 40,000 bytes', (good) => good.subarray(0, 40_000)],
  ['the first half', (good) => good.subarray(0, good.length >> 1)],
  ['overwritten pages', (good) => Buffer.concat([good.subarray(0, 32_768), Buffer.alloc(good.length - 32_768, 0xab)])],
  ['another version', (good) => patched(good, 28, 9)],
];

// A signal cannot be caught: where the check lets one through, this test file dies, which fails the run.
test.each(DAMAGE)('a log file replaced by %s is refused, not mapped', async (_, damage) => {
  const temporary = temporaryLog();
  await temporary.bus.append(
    Array.from({ length: 40 }, (_, i) => ({ topic: 'raw' as const, partition: 0, value: Buffer.alloc(30_000, i) })),
  );
  await temporary.bus.close();
  const file = join(temporary.dataDir.path, 'log', 'data.mdb');
  const good = readFileSync(file);
  writeFileSync(file, damage(good));
  const options = {
    dataDir: temporary.dataDir,
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  };
  expect(() => openLog(options)).toThrow(
    expect.objectContaining({ code: 'EYRIE_DATA_DIR_DAMAGED', message: expect.stringContaining('Restore a backup') }),
  );
  writeFileSync(file, good);
  const bus = openLog(options);
  expect(await bus.bounds('raw', 0)).toEqual({ start: 0, end: 40 });
  await bus.close();
  await temporary.remove();
});

function patched(good: Buffer, offset: number, value: number): Buffer {
  const bytes = Buffer.from(good);
  for (const page of [0, 16_384]) bytes.writeUInt32LE(value, page + offset);
  return bytes;
}
