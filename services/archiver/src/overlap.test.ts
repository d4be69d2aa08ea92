import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output } from '@eyrie/platform/bus/bus';
import { systemClock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { type ChdbStore, openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { type TemporaryLog, temporaryLog } from '@eyrie/platform/testing/temporary-log';
import type { TopicName } from '@eyrie/schemas';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createArchiver } from './main.ts';
import { judgedFrame, testAction, testAlert, testDocument, testEvent, testHealth, testJudgement } from './testing.ts';

const EVENTS = 20;
const TABLES = [
  'events',
  'duplicates',
  'alert_versions',
  'alerts_latest',
  'action_versions',
  'documents',
  'health_records',
];
const log = createLogger({ name: 'test', level: 'silent' });
let directory: string;
let store: ChdbStore;
const logs: TemporaryLog[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-overlap-'));
  store = await openChdb({ dataDir: directory, log, metrics: createMetrics() });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const table of TABLES) await store.command(`TRUNCATE TABLE eyrie.${table}`);
});
afterEach(async () => {
  for (const each of logs.splice(0)) await each.remove();
});

function newLog(): TemporaryLog {
  const made = temporaryLog();
  logs.push(made);
  return made;
}

/** The n-th portion of a history: a frame with a repeat in it, and one record of every other kind. */
function portion(n: number): readonly Output[] {
  const entries = Array.from({ length: EVENTS }, (_, index) => {
    const repeat = index === 0 ? { outcome: 'duplicate', reason: 'event_id' } : {};
    return [testJudgement(repeat as object), testEvent(n * EVENTS + index)] as const;
  });
  const json: readonly (readonly [TopicName, object])[] = [
    ['alerts', testAlert(n)],
    ['alerts', testAlert(n, { version: 2, count: 2 })],
    ['actions', testAction(n)],
    ['documents', testDocument(n)],
    ['health', testHealth(n)],
  ];
  return [
    { topic: 'judged', partition: 0, value: judgedFrame(entries) },
    ...json.map(([topic, record]) => ({ topic, partition: 0, value: Buffer.from(JSON.stringify(record)) })),
  ];
}

async function archive({ bus }: TemporaryLog, by: Store = store, batchRows = 10_000) {
  const failures: unknown[] = [];
  const metrics = createMetrics();
  const archiver = createArchiver(
    { bus, store: by, log, metrics, clock: systemClock, onFailure: (error) => failures.push(error) },
    { batchAgeMs: 20, batchRows, pollBytes: 8 * 1024 },
  );
  await archiver.start();
  await archiver.caughtUp().catch(() => undefined);
  await archiver.stop();
  return {
    failures,
    skipped: Object.fromEntries(
      (await metrics.read('eyrie_store_rows_skipped_total')).map(([{ table }, n]) => [table, n]),
    ),
  };
}

/** Rows stored, repeats counted, and alerts of the month. */
async function stored() {
  const [row] = await store.query<Record<string, string>>(
    `SELECT (SELECT count() FROM eyrie.events) AS events, (SELECT sum(count) FROM eyrie.duplicates) AS repeats,
            (SELECT count() FROM eyrie.alert_versions) AS versions, (SELECT sum(alerts) FROM eyrie.monthly_alerts) AS alerts,
            (SELECT count() FROM eyrie.action_versions) AS actions, (SELECT count() FROM eyrie.documents) AS documents,
            (SELECT count() FROM eyrie.health) AS health`,
  );
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, n]) => [name, Number(n)]));
}

const exactly = (n: number) => ({
  events: n * (EVENTS - 1),
  repeats: n,
  versions: 2 * n,
  alerts: n,
  actions: n,
  documents: n,
  health: n,
});

const append = async ({ bus }: TemporaryLog, ...portions: readonly number[]) => {
  for (const n of portions) await bus.append(portion(n));
};

describe('a log that is new to the archiver while rows are there', () => {
  it('restored from a backup and gone on: what is stored is skipped, what is not is stored', async () => {
    const first = newLog();
    await append(first, 1, 2, 3);
    await archive(first);
    expect(await stored()).toEqual(exactly(3));
    const restored = newLog();
    expect(restored.bus.logIdentity('judged', 0)).not.toBe(first.bus.logIdentity('judged', 0));
    await append(restored, 2, 3, 4, 5);
    const { skipped, failures } = await archive(restored);
    expect(failures).toEqual([]);
    expect(await stored()).toEqual(exactly(5));
    expect(skipped).toEqual({
      events: 2 * (EVENTS - 1),
      alert_versions: 4,
      action_versions: 2,
      documents: 2,
      health_records: 2,
    });
  });

  it('negative control: whoever finds no rows there stores them twice, so this test can fail', async () => {
    const first = newLog();
    await append(first, 1, 2);
    await archive(first);
    const restored = newLog();
    await append(restored, 1, 2, 3);
    const blind: Store = {
      ...store,
      query: async (sql, ...rest) => (sql.includes('LIMIT 1') ? [] : store.query(sql, ...rest)),
    };
    await archive(restored, blind);
    expect(await stored()).toMatchObject({ events: 5 * (EVENTS - 1), versions: 10, documents: 5, repeats: 5 });
  });

  it('made again under its name: other records at the same places are stored', async () => {
    const first = newLog();
    await append(first, 1, 2);
    await archive(first);
    const again = newLog();
    await append(again, 3, 4);
    expect((await archive(again)).skipped).toEqual({});
    expect(await stored()).toEqual(exactly(4));
  });

  it('under its old identity its rows would be taken for repeats: so a restored log gets another', async () => {
    const first = newLog();
    await append(first, 1, 2);
    await archive(first);
    const restored = newLog();
    await append(restored, 3, 4);
    const logIdentity = first.bus.logIdentity;
    const same = { ...restored.bus, logIdentity };
    await archive({ ...restored, bus: same });
    expect(await stored()).not.toEqual(exactly(4));
  });

  it('takes nothing for a repeat that came after the end found at the start, now or later', async () => {
    const first = newLog();
    await append(first, 1);
    await archive(first);
    const restored = newLog();
    await append(restored, 1);
    await archive(restored);
    expect(await stored()).toEqual(exactly(1));
    // The same names once more: events that came again after the judge had forgotten them are rows.
    await append(restored, 1);
    expect((await archive(restored)).skipped).toEqual({});
    expect(await stored()).toMatchObject({ events: 2 * (EVENTS - 1), repeats: 2 });
  });

  it('goes on where it was cut short, in the middle of an insert too', async () => {
    const first = newLog();
    await append(first, 1, 2, 3, 4);
    await archive(first);
    const restored = newLog();
    await append(restored, 3, 4, 5, 6, 7, 8);
    let inserts = 0;
    const dying: Store = {
      ...store,
      insert: async (batch) => {
        inserts += 1;
        await store.insert(batch);
        if (inserts % 3 === 0) throw new AppError('EYRIE_STORE_REJECTED', 'the process dies here');
      },
    };
    for (let life = 0; life < 4; life += 1) await archive(restored, dying, EVENTS);
    expect(inserts).toBeGreaterThan(3);
    await archive(restored);
    expect(await stored()).toEqual(exactly(8));
  });
});
