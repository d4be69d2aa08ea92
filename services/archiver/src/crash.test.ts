import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import { temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { expect, it } from 'vitest';
import { judgedFrame, testAlert, testEvent, testJudgement } from './testing.ts';

const FRAMES = 40;
const PER_FRAME = 20;
const VERSIONS = 3;
const log = createLogger({ name: 'test', level: 'silent' });

interface Stored {
  readonly rows: string;
  readonly ids: string;
  readonly duplicates: string;
  readonly versions: string;
  readonly alerts: string;
}

/** Fills a log, archives it in processes that die at the given failpoints one after the other, and counts. */
async function archiveDying(deaths: readonly string[], control = ''): Promise<{ deaths: number; stored: Stored }> {
  const temporary = temporaryLog();
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const entries = Array.from({ length: PER_FRAME }, (_, index) => {
      const more = index === 0 ? { outcome: 'duplicate', reason: 'event_id' } : {};
      return [testJudgement(more as object), testEvent(frame * PER_FRAME + index)] as const;
    });
    const alerts = Array.from({ length: VERSIONS }, (_, version) => testAlert(frame + 1, { version: version + 1 }));
    await temporary.bus.append([
      { topic: 'judged', partition: 0, value: judgedFrame(entries) },
      ...alerts.map((alert) => ({ topic: 'alerts', partition: 0, value: Buffer.from(JSON.stringify(alert)) }) as const),
    ]);
  }
  let died = 0;
  let stored: Stored | undefined;
  await temporary.reopen(async () => {
    const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
    for (const failpoint of [...deaths, '']) {
      const { signal, status, stderr } = spawnSync(process.execPath, [child, temporary.dataDir.path, '100', control], {
        env: { ...process.env, EYRIE_FAILPOINT: failpoint },
        encoding: 'utf8',
        timeout: 60_000,
      });
      if (signal === 'SIGKILL') died += 1;
      else if (status !== 0) throw new Error(`archiver ended with ${status}: ${stderr}`);
    }
    const store = await openChdb({ dataDir: temporary.dataDir.path, log, metrics: createMetrics() });
    [stored] = await store.query<Stored>(
      `SELECT (SELECT count() FROM eyrie.events) AS rows, (SELECT uniqExact(event_id) FROM eyrie.events) AS ids,
         (SELECT sum(count) FROM eyrie.duplicates) AS duplicates, (SELECT count() FROM eyrie.alert_versions) AS versions,
         (SELECT count() FROM eyrie.alerts) AS alerts`,
    );
    await store.close();
  });
  await temporary.remove();
  if (stored === undefined) throw new Error('nothing was counted');
  return { deaths: died, stored };
}

const EXACT: Stored = {
  rows: String(FRAMES * (PER_FRAME - 1)),
  ids: String(FRAMES * (PER_FRAME - 1)),
  duplicates: String(FRAMES),
  versions: String(FRAMES * VERSIONS),
  alerts: String(FRAMES),
};

it('stores each record once, whichever step it dies at', { timeout: 240_000 }, async () => {
  const deaths = [
    'before-clickhouse-insert:1',
    'after-clickhouse-insert:1',
    'before-position-commit:1',
    'after-position-commit:1',
    'before-clickhouse-insert:2',
    'after-clickhouse-insert:2',
    'before-position-commit:2',
    'after-position-commit:2',
  ];
  const result = await archiveDying(deaths);
  expect(result.deaths).toBeGreaterThanOrEqual(6);
  expect(result.stored).toEqual(EXACT);
});

it('negative control: tokens that differ after a crash are found', { timeout: 120_000 }, async () => {
  const { deaths, stored } = await archiveDying(['after-clickhouse-insert:2'], 'forget');
  expect(deaths).toBe(1);
  expect(Number(stored.rows)).toBeGreaterThan(Number(EXACT.rows));
});
