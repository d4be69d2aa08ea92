import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { describeStore } from '../testing/contracts/store.ts';
import { type ChdbStore, openChdb } from './chdb.ts';
import { startChdbProcess } from './chdb-process.ts';
import { TABLE_SETTINGS, wholeLayout } from './layout.ts';
import { removeOrphanedRowFiles, rowFileDirectory } from './row-file.ts';
import { selfTest } from './self-test.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'eyrie-chdb-'));
  directories.push(path);
  return path;
}

const open = (dataDir: string, busyWaitMs?: number): Promise<ChdbStore> =>
  openChdb({ dataDir, log, metrics: createMetrics(), ...(busyWaitMs === undefined ? {} : { busyWaitMs }) });

async function ended(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`process ${pid} is still there`);
}

async function command(store: ChdbStore, sql: string): Promise<void> {
  await store.command(sql);
}

describeStore('chDB in its process', async () => {
  const store = await open(directory());
  return {
    store,
    command: (sql) => command(store, sql),
    tableSettings: TABLE_SETTINGS,
    crash: async () => {
      const pid = store.pid() ?? 0;
      process.kill(pid, 'SIGKILL');
      await ended(pid);
    },
    remove: () => store.close(),
  };
});

it('keeps rows over a restart, and one directory has one engine', async () => {
  const dataDir = directory();
  const first = await open(dataDir);
  await first.migrate();
  await first.command("INSERT INTO eyrie.documents (tenant, kind, id) VALUES ('t', 'k', 'i')");
  const engine = { directory: join(dataDir, 'clickhouse'), engineArguments: [], log, metrics: createMetrics() };
  await expect(startChdbProcess({ ...engine, busyWaitMs: 200 })).rejects.toMatchObject({
    code: 'EYRIE_STORE_UNAVAILABLE',
  });
  await first.close();
  const second = await open(dataDir);
  expect(await second.query('SELECT id FROM eyrie.documents')).toEqual([{ id: 'i' }]);
  await second.close();
});

it('ends with its parent, even one that is killed, and the next one takes over', async () => {
  const dataDir = directory();
  const script = join(dataDir, 'parent.mjs');
  const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  writeFileSync(
    script,
    `import { openChdb } from ${module('./chdb.ts')};
     import { createLogger } from ${module('../log.ts')};
     import { createMetrics } from ${module('../metrics.ts')};
     const store = await openChdb({ dataDir: ${JSON.stringify(dataDir)}, log: createLogger({ name: 'x' }), metrics: createMetrics() });
     store.query('SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1').catch(() => {});
     console.log(store.pid());`,
  );
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const child = await new Promise<number>((resolve) => parent.stdout.once('data', (data) => resolve(Number(data))));
  parent.kill('SIGKILL');
  const next = await open(dataDir);
  await ended(child);
  expect(await next.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await next.close();
});

/** Every file below a directory. */
function filesIn(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

it.each([
  ['an intact directory', /^$/, undefined],
  ['a part that ends early', /\/all_1_1_0\/data\.bin$/, (file: string) => truncateSync(file, 10)],
  ['a part without its data', /\/all_1_1_0\/data\.bin$/, (file: string) => rmSync(file, { force: true })],
  ['a definition that is gone', /\/documents\.sql$/, (file: string) => rmSync(file, { force: true })],
  ['a definition cut short', /\/documents\.sql$/, (file: string) => truncateSync(file, 60)],
])('a start notices %s', async (_, pattern, damage) => {
  const dataDir = directory();
  const first = await open(dataDir);
  await first.migrate();
  await first.command("INSERT INTO eyrie.documents (tenant, kind, id) VALUES ('t', 'k', 'i')");
  await first.close();
  for (const file of filesIn(join(dataDir, 'clickhouse'))) if (pattern.test(file)) damage?.(file);
  const start = open(dataDir, 200).then((store) => store.migrate().finally(() => store.close()));
  if (damage === undefined) await expect(start).resolves.toHaveLength(4);
  else {
    await expect(start).rejects.toMatchObject({
      code: 'EYRIE_DATA_DIR_DAMAGED',
      message: expect.stringContaining('Restore'),
    });
  }
});

it('the self-test refuses a server that ignores tokens', async () => {
  const store = await open(directory());
  await store.migrate();
  const run = selfTest(store, (sql) => store.command(sql), wholeLayout('non_replicated_deduplication_window = 0'));
  await expect(run).rejects.toMatchObject({ code: 'EYRIE_STORE_NO_DEDUPLICATION' });
  await store.close();
});

it('leaves no file of rows behind, and removes those of killed processes', async () => {
  const gone = join(rowFileDirectory(), 'eyrie-rows-999999999-0123456789abcdef');
  writeFileSync(gone, 'x');
  removeOrphanedRowFiles();
  expect(existsSync(gone)).toBe(false);
  const mine = readdirSync(rowFileDirectory()).filter((name) => name.startsWith(`eyrie-rows-${process.pid}-`));
  expect(mine).toEqual([]);
});

it('keeps rows as long as it is told, also where the tables were made with another retention', async () => {
  const dataDir = directory();
  const days = async (store: ChdbStore) => {
    const rows = await store.query<{ name: string; days: string }>(
      "SELECT name, extract(create_table_query, 'toIntervalDay.([0-9]+)') AS days FROM system.tables WHERE database = 'eyrie' AND days != '' ORDER BY name",
    );
    return Object.fromEntries(rows.map((row) => [row.name, Number(row.days)]));
  };
  const first = await open(dataDir);
  await first.migrate();
  const made = await days(first);
  expect(made).toEqual({
    events: 90,
    duplicates: 90,
    alert_versions: 400,
    action_versions: 400,
    coverage_minutes: 400,
    health_records: 90,
    dead_letter_records: 90,
  });
  const old = 'toDateTime64(now() - INTERVAL 40 DAY, 3)';
  await first.command(`INSERT INTO eyrie.events (tenant, event_id, received_at) SELECT 't', 'old', ${old}`);
  await first.command("INSERT INTO eyrie.events (tenant, event_id, received_at) SELECT 't', 'new', now64(3)");
  await first.close();

  const options = { dataDir, log, metrics: createMetrics() };
  const second = await openChdb({ ...options, retention: { eventsDays: 30 } });
  await second.migrate();
  expect(await days(second)).toEqual({ ...made, events: 30, duplicates: 30 });
  await second.command('OPTIMIZE TABLE eyrie.events FINAL');
  expect(await second.query('SELECT event_id FROM eyrie.events')).toEqual([{ event_id: 'new' }]);
  await second.close();
});
