import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import type { GroupSpec } from './bus.ts';
import { openDataDirectory } from './data-directory.ts';
import { openLog } from './log.ts';

const GROUP: GroupSpec = { group: 'archiver', inputs: ['raw'] };
const FRAME = Buffer.alloc(200_000, 'x');

let mount: string;
let mounted = false;

beforeAll(() => {
  mount = mkdtempSync(join(tmpdir(), 'eyrie-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', mount], { stdio: 'ignore' });
    mounted = true;
  } catch {
    // A small file system needs root; said by the skipped test.
  }
});

afterAll(() => {
  if (mounted) execFileSync('umount', ['-l', mount]);
  rmdirSync(mount);
});

test('a full disk refuses intake, keeps what was accepted, lets readers go on, and heals', async (context) => {
  if (!mounted) context.skip('mounting a small file system is not permitted here');
  const dataDir = openDataDirectory(join(mount, 'data'));
  const options = {
    dataDir,
    clock: systemClock,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
    maxBytes: 1024 ** 3,
    retention: { targetBytes: 1_000_000 },
  };
  let bus = openLog(options);
  await bus.join(GROUP, async () => undefined).done;
  const ballast = join(mount, 'ballast');
  writeFileSync(ballast, Buffer.alloc(40_000_000));

  let accepted = 0;
  let refused = 0;
  for (let i = 0; i < 1_000 && refused < 3; i += 1) {
    try {
      await bus.append([frame(accepted)]);
      accepted += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'EYRIE_DISK_FULL', retryable: true });
      refused += 1;
    }
  }
  expect(refused).toBe(3);
  expect(await bus.bounds('raw', 0)).toEqual({ start: 0, end: accepted });
  expect(free()).toBeLessThan(1_000_000);

  // A reader commits its position, and retention makes room inside the log.
  await bus.join(GROUP, async (assigned) => {
    await assigned.transact({ positions: [{ topic: 'raw', next: accepted - 3, note: 'n'.repeat(1_000) }] });
  }).done;
  await bus.retain();
  expect((await bus.bounds('raw', 0)).start).toBeGreaterThan(0);
  await retried(() => bus.append([frame(accepted)]));
  accepted += 1;

  // Restarting on the full disk works too.
  await bus.close();
  bus = openLog(options);
  expect((await bus.bounds('raw', 0)).end).toBe(accepted);
  expect((await bus.groups())[0]).toMatchObject({ group: 'archiver', next: accepted - 4 });
  for (let offset = accepted - 4; offset < accepted; offset += 1) {
    const [record] = await bus.read('raw', 0, offset, { maxBytes: 1 });
    expect(record?.value.equals(frame(offset).value)).toBe(true);
  }

  rmSync(ballast);
  for (let i = 0; i < 50; i += 1) await retried(() => bus.append([frame(i)]));
  await bus.close();
  dataDir.close();
});

function frame(number: number) {
  const value = Buffer.from(FRAME);
  value.writeUInt32BE(number);
  return { topic: 'raw' as const, partition: 0, value };
}

function free(): number {
  const { bavail, bsize } = statfsSync(mount);
  return bavail * bsize;
}

/** As a sender does that was told 503. */
async function retried(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'EYRIE_DISK_FULL' });
      if (attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
