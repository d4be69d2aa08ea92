import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { type ChdbStore, openChdb } from '../store/chdb.ts';
import { type TemporaryLog, temporaryLog } from '../testing/temporary-log.ts';
import { hasGoneBack } from './gone-back.ts';

let directory: string;
let store: ChdbStore;
let temporary: TemporaryLog;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-back-'));
  const log = createLogger({ name: 'test', level: 'silent' });
  store = await openChdb({ dataDir: directory, log, metrics: createMetrics() });
  await store.migrate();
  temporary = temporaryLog();
  await temporary.bus.append(
    Array.from({ length: 3 }, () => ({ topic: 'raw', partition: 0, value: Buffer.from('x') }) as const),
  );
});
afterAll(async () => {
  await temporary.remove();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  ['no rows', undefined, 0, false],
  ['rows of its last record', 'own', 2, false],
  ['rows of a record it does not hold', 'own', 3, true],
  ['such rows of another log', 'other', 3, false],
])('%s: gone back %s', async (_, whose, offset, expected) => {
  await store.command('TRUNCATE TABLE eyrie.events');
  const { bus } = temporary;
  const log = whose === 'own' ? bus.logIdentity('raw', 0) : whose;
  if (log !== undefined) {
    await store.command(
      `INSERT INTO eyrie.events (tenant, received_at, raw_log, raw_partition, raw_offset) VALUES ('t', now64(3), '${log}', 0, ${offset})`,
    );
  }
  expect(await hasGoneBack(bus, store)).toBe(expected);
});
