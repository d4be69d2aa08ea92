import { afterAll, expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { startFaultProxy } from '../testing/clickhouse/fault-proxy.ts';
import { startFront } from '../testing/clickhouse/front.ts';
import { startTestServer } from '../testing/clickhouse/test-server.ts';
import { describeStore } from '../testing/contracts/store.ts';
import { clusterLayout } from './cluster-layout.ts';
import { SERVER_TABLE_SETTINGS } from './layout.ts';
import { selfTest } from './self-test.ts';
import { openClickhouse } from './server.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const server = await startTestServer();
const proxy = await startFaultProxy(server.url);
afterAll(async () => {
  await proxy.down();
  await server.stop();
});

const common = { log, metrics: createMetrics() };

describeStore(`ClickHouse over HTTP (${server.kind})`, async () => {
  const { user, password, analyst } = server;
  const store = await openClickhouse({ url: proxy.url, user, password, analyst, ...common });
  return {
    store,
    command: (sql) => store.command(sql),
    tableSettings: SERVER_TABLE_SETTINGS,
    crash: server.crash ?? (async () => proxy.cut()),
    remove: () => store.close(),
  };
});

/** Distributed tables and views for real, on one shard; replicas need Keeper, which this fixture has not. */
describeStore('ClickHouse over HTTP, laid out for a cluster (a test front: one shard, no replicas)', async () => {
  const front = await startFront('c');
  const { user, password, analyst } = front;
  // A crash moves the front to another port.
  const way = await startFaultProxy(front.url);
  const store = await openClickhouse({ url: way.url, user, password, analyst, cluster: 'c', ...common });
  return {
    store,
    // Rows are removed where they lie.
    command: (sql) => store.command(sql.replace('DELETE FROM eyrie.', 'DELETE FROM eyrie_local.')),
    tableSettings: SERVER_TABLE_SETTINGS,
    crash: front.crash ?? (() => Promise.reject(new TypeError('a front can be killed'))),
    remove: async () => {
      await store.close();
      await way.down();
      await front.stop();
    },
  };
});

it('the self-test refuses a cluster that forgets tokens, through its Distributed tables', async () => {
  const front = await startFront('c');
  const { user, password } = front;
  const store = await openClickhouse({ url: front.url(), user, password, cluster: 'c', ...common });
  try {
    await store.migrate();
    const whole = clusterLayout('c');
    const values = { ...whole.values, table_settings: 'replicated_deduplication_window = 0' };
    const run = selfTest(store, store.command, { ...whole, values });
    await expect(run).rejects.toMatchObject({ code: 'EYRIE_STORE_NO_DEDUPLICATION' });
    await selfTest(store, store.command, whole);
    const left = "SELECT name FROM system.tables WHERE name LIKE 'self_test%'";
    expect(await store.query(left)).toEqual([]);
  } finally {
    await store.close();
    await front.stop();
  }
});
