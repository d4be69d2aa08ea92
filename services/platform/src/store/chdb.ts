import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { boundSelects, QUERY, rowsOf, SELECT, selectResultOf } from './asking.ts';
import { startChdbProcess } from './chdb-process.ts';
import { countInsert } from './count-insert.ts';
import { refuseDamage } from './damage.ts';
import { toSelectError, toStoreError } from './failures.ts';
import { insertStatement } from './insert.ts';
import { TABLE_SETTINGS, wholeLayout } from './layout.ts';
import { migrateStore } from './migrate-store.ts';
import type { EngineReply, EngineRequest } from './protocol.ts';
import type { Retention } from './retention.ts';
import { removeOrphanedRowFiles, withRowFile } from './row-file.ts';
import { selfTest } from './self-test.ts';
import type { QueryOptions, Store } from './store.ts';

export interface ChdbOptions {
  /** The engine's own directory is `clickhouse` within it. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Bytes the engine may hold (default 1 GB). */
  readonly memoryBytes?: number;
  readonly retention?: Partial<Retention>;
  /** How long a start waits for the engine's process before it to leave the directory, milliseconds (default 10,000). */
  readonly busyWaitMs?: number;
}

/** The embedded store also tells its process, for tests that kill it. */
export interface ChdbStore extends Store {
  pid(): number | undefined;
  /** A statement of ours that gives no rows: definitions, maintenance. */
  command(sql: string): Promise<void>;
}

const LAYOUT = wholeLayout(TABLE_SETTINGS);
const CACHE_BYTES = 64 * 1024 * 1024;

/**
 * Embedded ClickHouse in a process of its own.
 * @throws AppError EYRIE_PLATFORM_UNSUPPORTED, EYRIE_STORE_UNAVAILABLE, EYRIE_DATA_DIR_DAMAGED
 */
export async function openChdb(options: ChdbOptions): Promise<ChdbStore> {
  const directory = join(options.dataDir, 'clickhouse');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const orphans = removeOrphanedRowFiles();
  if (orphans > 0) options.log.info({ orphans }, 'removed row files of ended processes');
  const engine = await startChdbProcess({
    directory,
    engineArguments: [
      `--max_server_memory_usage=${options.memoryBytes ?? 1_000_000_000}`,
      `--mark_cache_size=${CACHE_BYTES}`,
      `--index_mark_cache_size=${CACHE_BYTES / 8}`,
      '--background_pool_size=2',
      '--background_schedule_pool_size=2',
    ],
    log: options.log,
    metrics: options.metrics,
    ...(options.busyWaitMs === undefined ? {} : { busyWaitMs: options.busyWaitMs }),
  });

  const bounded = boundSelects(options.metrics);

  async function send(request: EngineRequest): Promise<EngineReply & { kind: 'done' }> {
    const reply = await engine.request(request);
    switch (reply.kind) {
      case 'done':
        return reply;
      case 'refused':
        throw new AppError('EYRIE_SQL_REFUSED', reply.message);
      case 'failed':
        throw request.kind === 'select' ? toSelectError(reply.failure) : toStoreError(reply.failure);
    }
  }

  const store: ChdbStore = {
    pid: engine.pid,
    command: async (sql) => {
      await send({ kind: 'command', sql });
    },
    migrate: async () => {
      const migrated = await migrateStore(store, store.command, { layout: LAYOUT, retention: options.retention });
      await refuseDamage(store, directory);
      return migrated;
    },
    selfTest: () => selfTest(store, store.command, LAYOUT),
    insert: async (batch) => {
      const start = performance.now();
      await withRowFile(batch.rows, (path) => store.command(insertStatement(batch, path)));
      countInsert(options.metrics, batch, start);
    },
    query: async <T>(
      sql: string,
      params: Readonly<Record<string, unknown>> = {},
      { timeoutMs = QUERY.timeoutMs, maxRows = QUERY.maxRows }: QueryOptions = {},
    ) => {
      const { text } = await send({ kind: 'query', sql, params, timeoutMs, maxRows });
      return rowsOf<T>(text);
    },
    select: async (sql, { timeoutMs = SELECT.timeoutMs, maxRows = SELECT.maxRows }: QueryOptions = {}) => {
      const { text } = await bounded(() => send({ kind: 'select', sql, timeoutMs, maxRows }));
      return selectResultOf(text, maxRows);
    },
    close: engine.close,
  };
  return store;
}
