import { afterAll } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { startFaultProxy } from '../testing/clickhouse/fault-proxy.ts';
import { startTestServer } from '../testing/clickhouse/test-server.ts';
import { describeStore } from '../testing/contracts/store.ts';
import { SERVER_TABLE_SETTINGS } from './layout.ts';
import { type ClickhouseOptions, openClickhouse } from './server.ts';

const log = createLogger({ name: 'test', level: 'silent' });
const server = await startTestServer();
const proxy = await startFaultProxy(server.url);
afterAll(async () => {
  await proxy.down();
  await server.stop();
});

const open = (over: Partial<ClickhouseOptions> = {}) =>
  openClickhouse({
    url: proxy.url,
    user: server.user,
    password: server.password,
    analyst: server.analyst,
    log,
    metrics: createMetrics(),
    ...over,
  });

describeStore(`ClickHouse over HTTP (${server.kind})`, async () => {
  const store = await open();
  await store.command('DROP DATABASE IF EXISTS eyrie SYNC');
  return {
    store,
    command: (sql) => store.command(sql),
    tableSettings: SERVER_TABLE_SETTINGS,
    crash: server.crash ?? (async () => proxy.cut()),
    remove: () => store.close(),
  };
});
