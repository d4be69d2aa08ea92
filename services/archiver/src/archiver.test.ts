import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '@eyrie/platform/bus/bus';
import { systemClock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { createSigner } from '@eyrie/platform/sign';
import { type ChdbStore, openChdb } from '@eyrie/platform/store/chdb';
import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import type { Store } from '@eyrie/platform/store/store';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { spacingFor } from './core/spacing.ts';
import { createArchiver, createSqlSocket, reconcile } from './main.ts';
import { judgedFrame, testAlert, testEvent, testJudgement } from './testing.ts';

const log = createLogger({ name: 'test', level: 'silent' });
let directory: string;
let store: ChdbStore;
let temporary: TemporaryLog;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-archiver-'));
  store = await openChdb({ dataDir: directory, log, metrics: createMetrics() });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  temporary = temporaryLog();
  for (const table of ['events', 'alert_versions', 'alerts_latest', 'dead_letter_records']) {
    await store.command(`TRUNCATE TABLE eyrie.${table}`);
  }
});
afterEach(() => temporary.remove());

function start(over: Partial<Parameters<typeof createArchiver>[0]> = {}) {
  const failures: unknown[] = [];
  const metrics = createMetrics();
  const deps = { bus: temporary.bus, store, log, metrics, clock: systemClock };
  const archiver = createArchiver(
    { ...deps, onFailure: (error) => failures.push(error), ...over },
    { batchAgeMs: 50, reconcileMs: 50 },
  );
  return { archiver, failures, metrics };
}

async function count(table: string): Promise<number> {
  const [row] = await store.query<{ n: string }>(`SELECT count() AS n FROM eyrie.${table}`);
  return Number(row?.n);
}

const frame = (from: number, events: number) =>
  judgedFrame(Array.from({ length: events }, (_, index) => [testJudgement(), testEvent(from + index)] as const));

it('inserts no more often than ClickHouse remembers tokens for an hour', () => {
  expect(spacingFor(5, 1_000, 20_000)).toBe(1_000);
  for (const partitions of [6, 12, 64, 1_000]) {
    expect((partitions * 3_600_000) / spacingFor(partitions, 1_000, 20_000)).toBeLessThanOrEqual(20_000);
  }
});

it('makes a row queryable soon after it came, and moves the positions', async () => {
  const { archiver } = start();
  await archiver.start();
  const started = performance.now();
  await temporary.bus.append([{ topic: 'judged', partition: 0, value: frame(1, 3) }]);
  while ((await count('events')) < 3) await systemClock.sleep(10);
  expect(performance.now() - started).toBeLessThan(5_000);
  await archiver.caughtUp();
  const position = (await temporary.bus.groups()).find(
    ({ group, topic }) => group === 'archiver' && topic === 'judged',
  );
  expect(position).toMatchObject({ next: 1, end: 1 });
  await archiver.stop();
});

it('repeats with the same token while the store is away, and holds what comes meanwhile', async () => {
  const tokens: string[] = [];
  let away = 3;
  const flaky: Store = {
    ...store,
    insert: async (batch) => {
      tokens.push(batch.token);
      away -= 1;
      if (away === 1) await store.insert(batch);
      if (away >= 0) throw new AppError('EYRIE_STORE_UNAVAILABLE', 'away', { retryable: true });
      return store.insert(batch);
    },
  };
  const { archiver, metrics } = start({ store: flaky });
  await archiver.start();
  await temporary.bus.append([{ topic: 'judged', partition: 0, value: frame(1, 3) }]);
  await systemClock.sleep(150);
  await temporary.bus.append([{ topic: 'judged', partition: 0, value: frame(4, 3) }]);
  await archiver.caughtUp();
  expect(await count('events')).toBe(6);
  expect(new Set(tokens.slice(0, 4)).size).toBe(1);
  expect((await metrics.read('eyrie_store_retries_total'))[0]?.[1]).toBe(3);
  await archiver.stop();
});

it('starts anew where a step could not be written, and stores each record once', async () => {
  let refusals = 2;
  const bus: Bus = {
    ...temporary.bus,
    join: (spec, run) =>
      temporary.bus.join(spec, (assigned, signal) =>
        run(
          {
            group: assigned.group,
            partition: assigned.partition,
            restore: () => assigned.restore(),
            position: (topic) => assigned.position(topic),
            poll: (options) => assigned.poll(options),
            transact: (step) => {
              const isRefused = spec.inputs.includes('judged') && refusals > 0;
              if (!isRefused) return assigned.transact(step);
              refusals -= 1;
              return Promise.reject(new AppError('EYRIE_DISK_FULL', 'no space', { retryable: true }));
            },
          },
          signal,
        ),
      ),
  };
  const { archiver, failures } = start({ bus });
  await archiver.start();
  await temporary.bus.append([{ topic: 'judged', partition: 0, value: frame(1, 3) }]);
  await archiver.caughtUp();
  expect(refusals).toBe(0);
  expect(failures).toEqual([]);
  expect(await count('events')).toBe(3);
  await archiver.stop();
});

it('repeats an insert under its name, whatever compaction has taken from its records meanwhile', async () => {
  let steps = 0;
  const bus: Bus = {
    ...temporary.bus,
    read: async (topic, partition, from, options) =>
      (await temporary.bus.read(topic, partition, from, options)).filter(({ offset }) => offset > 0),
    join: (spec, run) =>
      temporary.bus.join(spec, (assigned, signal) =>
        run(
          {
            group: assigned.group,
            partition: assigned.partition,
            restore: () => assigned.restore(),
            position: (topic) => assigned.position(topic),
            poll: (options) => assigned.poll(options),
            transact: (step) => {
              if (!spec.inputs.includes('judged')) return assigned.transact(step);
              steps += 1;
              // The first notes what is inserted, the second would have moved the positions.
              if (steps !== 2) return assigned.transact(step);
              return Promise.reject(new AppError('EYRIE_DISK_FULL', 'no space', { retryable: true }));
            },
          },
          signal,
        ),
      ),
  };
  const { archiver } = start({ bus });
  const versions = [1, 2, 3].map((version) => testAlert(1, { version }));
  await temporary.bus.append(
    versions.map((alert) => ({ topic: 'alerts', partition: 0, value: Buffer.from(JSON.stringify(alert)) })),
  );
  await archiver.start();
  await archiver.caughtUp();
  expect(steps).toBeGreaterThan(2);
  expect(await count('alert_versions')).toBe(3);
  await archiver.stop();
});

it('says so when a statement of ours is refused, and loses nothing', async () => {
  const broken: Store = { ...store, insert: () => Promise.reject(new AppError('EYRIE_STORE_REJECTED', 'no')) };
  const first = start({ store: broken });
  await first.archiver.start();
  await temporary.bus.append([{ topic: 'judged', partition: 0, value: frame(1, 3) }]);
  await expect(first.archiver.caughtUp()).rejects.toMatchObject({ code: 'EYRIE_STORE_REJECTED' });
  expect(first.failures).toHaveLength(1);
  await first.archiver.stop();
  const second = start();
  await second.archiver.start();
  await second.archiver.caughtUp();
  expect(await count('events')).toBe(3);
  await second.archiver.stop();
});

it('sets aside what it cannot read or trust, and takes its neighbours', async () => {
  const signer = createSigner(Buffer.alloc(32, 1));
  const { archiver } = start({ signer });
  const signed = signer.seal(testAlert(1));
  const { mac } = JSON.parse(signed.toString()) as { mac: string };
  const forged = Buffer.from(JSON.stringify({ ...testAlert(2), mac }));
  await archiver.start();
  await temporary.bus.append([
    { topic: 'judged', partition: 0, value: Buffer.from('garbage') },
    { topic: 'judged', partition: 0, value: Buffer.from('eyrie/99 judged 1\nx\n') },
    { topic: 'judged', partition: 0, value: frame(1, 3) },
    ...[signed, forged].map((value) => ({ topic: 'alerts', partition: 0, value }) as const),
  ]);
  await archiver.caughtUp();
  await archiver.caughtUp();
  expect([await count('events'), await count('alerts')]).toEqual([3, 1]);
  expect(await store.query('SELECT topic, reason FROM eyrie.dead_letters ORDER BY topic, reason')).toEqual([
    { topic: 'alerts', reason: 'bad_signature' },
    { topic: 'judged', reason: 'newer_format' },
    { topic: 'judged', reason: 'unreadable' },
  ]);
  await archiver.stop();
});

it('compares the counts of the judge with SQL, and finds a lost and a doubled alert', async () => {
  const counted = Buffer.from(JSON.stringify({ opened: 3, shown: 3, suppressed: 0, last_seq: 3 }));
  const judge = temporary.bus.join(
    { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' },
    (assigned) =>
      assigned
        .transact({
          positions: [],
          state: [['count/acme/2026-11', counted]],
          outputs: [1, 2, 3].map((index) => ({
            topic: 'alerts',
            partition: 0,
            value: Buffer.from(JSON.stringify(testAlert(index))),
          })),
        })
        .then(() => undefined),
  );
  await judge.done;
  const { archiver, metrics } = start();
  await archiver.start();
  await archiver.caughtUp();
  expect(await reconcile(temporary.bus, store)).toEqual({ difference: 0, details: [], inFlight: 0 });

  const lost = "alert_id = '00000000000000000000000000000002'";
  await store.command(`ALTER TABLE eyrie.alerts_latest DELETE WHERE ${lost} SETTINGS mutations_sync = 2`);
  expect((await reconcile(temporary.bus, store)).difference).toBeGreaterThan(0);
  while ((await metrics.read('eyrie_monthly_difference'))[0]?.[1] === 0) await systemClock.sleep(20);

  await store.command(`INSERT INTO eyrie.alerts_latest SELECT * FROM eyrie.alert_versions WHERE ${lost}`);
  expect((await reconcile(temporary.bus, store)).difference).toBe(0);
  await store.command(
    `INSERT INTO eyrie.alerts_latest SELECT * REPLACE ('other' AS alert_id) FROM (SELECT * FROM eyrie.alert_versions WHERE ${lost})`,
  );
  expect((await reconcile(temporary.bus, store)).difference).toBeGreaterThan(0);
  await archiver.stop();
});

it('answers SELECTs over a socket only its owner may open, also deep down in the file system', async () => {
  const deep = join(directory, 'd'.repeat(60), 'e'.repeat(60));
  mkdirSync(deep, { recursive: true });
  for (const dataDir of [directory, deep]) {
    const socket = createSqlSocket({ store, log, metrics: createMetrics() }, { dataDir });
    await socket.start();
    expect(statSync(join(dataDir, 'sql.sock')).mode & 0o777).toBe(0o600);
    expect(await selectOverSocket(dataDir, 'SELECT 1 AS one')).toEqual({
      columns: [{ name: 'one', type: 'UInt8' }],
      rows: [[1]],
      truncated: false,
    });
    await expect(selectOverSocket(dataDir, 'SELECT * FROM system.one')).rejects.toMatchObject({
      code: 'EYRIE_SQL_REFUSED',
    });
    await expect(selectOverSocket(dataDir, 'SELECT 1', { maxRows: 0 })).rejects.toMatchObject({
      code: 'EYRIE_SQL_REFUSED',
    });
    const large = await selectOverSocket(dataDir, "SELECT repeat('é', 1000) FROM numbers(5000)", { maxRows: 5_000 });
    expect(large.rows.filter(([text]) => text !== 'é'.repeat(1_000))).toEqual([]);
    if (dataDir === directory)
      expect(await talk(join(dataDir, 'sql.sock'), 'nonsense\n')).toContain('EYRIE_SQL_REFUSED');
    await socket.stop();
    await expect(selectOverSocket(dataDir, 'SELECT 1')).rejects.toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE' });
  }
});

function talk(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(line));
    socket.on('data', (data) => {
      resolve(data.toString('utf8'));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
