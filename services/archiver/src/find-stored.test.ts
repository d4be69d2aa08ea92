import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { type ClickhouseStore, openClickhouse } from '@eyrie/platform/store/server';
import { startTestServer, type TestServer } from '@eyrie/platform/testing/clickhouse/test-server';
import type { HealthRecord, TenantId } from '@eyrie/schemas';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Batch } from './core/batch.ts';
import { insertToken } from './core/ranges.ts';
import { keyOf, nameAction, nameAlert, nameDocument, nameEvent, nameHealth, type RowName } from './core/stored-rows.ts';
import { takeRecord } from './core/take.ts';
import { findStored, hasRows } from './find-stored.ts';
import {
  judgedFrame,
  NOW,
  testAction,
  testAlert,
  testDocument,
  testEvent,
  testHealth,
  testJudgement,
} from './testing.ts';

/** Over HTTP, where names travel in the address. */
let server: TestServer;
let store: ClickhouseStore;
beforeAll(async () => {
  server = await startTestServer();
  const { user, password } = server;
  const log = createLogger({ name: 'test', level: 'silent' });
  store = await openClickhouse({ url: server.url(), user, password, log, metrics: createMetrics() });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await server.stop();
});

const EVENTS = 2_500;
const alert = testAlert(1);
const action = testAction(1, { intent_key: "k'\\/1", version: 3 });
const document = testDocument(1, { id: 'd/1', version: 2 });
const health = testHealth(7, { node: 'n', code: 'x' });

it('finds rows by their names, and none by names that differ in anything', async () => {
  expect(await hasRows(store, ['events'])).toBe(false);
  const events = Array.from({ length: EVENTS }, (_, index) => testEvent(index));
  const batch = new Batch();
  const take = (topic: 'judged' | 'alerts' | 'actions' | 'documents' | 'health', value: Buffer) => {
    const record = { topic, partition: 0, offset: 1, value, logIdentity: 'log' } as const;
    batch.add(record, () => takeRecord(batch, record), NOW);
  };
  take('judged', judgedFrame(events.map((event) => [testJudgement(), event] as const)));
  for (const [topic, record] of Object.entries({
    alerts: testAlert(1),
    actions: action,
    documents: document,
    health,
  })) {
    take(topic as 'alerts', Buffer.from(JSON.stringify(record)));
  }
  for (const { range, ...insert } of batch.inserts()) {
    await store.insert({ ...insert, token: insertToken('log', insert.table, 0, range) });
  }
  expect(await hasRows(store, ['events'])).toBe(true);

  const named = (record: HealthRecord) => nameHealth(record) as RowName;
  const present = [
    ...events.map(nameEvent),
    nameAlert(alert),
    nameAction(action),
    nameDocument(document),
    named(health),
  ];
  expect((await findStored(store, present)).size).toBe(EVENTS + 4);
  const absent = [
    nameEvent(testEvent(EVENTS)),
    nameEvent(testEvent(1, { tenant: 'other' as TenantId })),
    nameAlert({ ...alert, version: 2 }),
    nameAction({ ...action, version: 4 }),
    nameDocument({ ...document, kind: 'rule' }),
    named({ ...health, count: 8 }),
    named({ ...health, time: testHealth(8).time }),
  ];
  const found = await findStored(store, [...absent, nameAlert(alert)]);
  expect(found).toContain(keyOf(nameAlert(alert)));
  expect(absent.filter((name) => found.has(keyOf(name)))).toEqual([]);
});
