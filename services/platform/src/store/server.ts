import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { boundSelects, QUERY, rowsOf, SELECT, SELECTS, selectResultOf } from './asking.ts';
import type { ServerTls } from './clickhouse.ts';
import { clusterLayout } from './cluster-layout.ts';
import { countInsert } from './count-insert.ts';
import { toSelectError } from './failures.ts';
import { insertBodyStatement } from './insert.ts';
import { SERVER_TABLE_SETTINGS, wholeLayout } from './layout.ts';
import { migrateStore } from './migrate-store.ts';
import type { Retention } from './retention.ts';
import { selfTest } from './self-test.ts';
import { createRequests } from './server-requests.ts';
import { readServerUrl } from './server-url.ts';
import type { QueryOptions, Store } from './store.ts';
import { runUntrusted } from './untrusted.ts';

export interface ClickhouseOptions {
  /** `http(s)://host:port`, without user and password. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly tls?: ServerTls;
  /** Name of the cluster as the server knows it: tables are then replicated and sharded over it. */
  readonly cluster?: string;
  /** Whoever runs statements from outside: a user with SELECT and `readonly = 2` at most. Default: the same user. */
  readonly analyst?: { readonly user: string; readonly password: string };
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly retention?: Partial<Retention>;
  /** How long rows stay is for those to say who fill the tables: with it tables that exist stay as they are. */
  readonly keepsRetention?: boolean;
  /** How long an insert may take until its outcome counts as unknown, milliseconds (default 60,000). */
  readonly insertTimeoutMs?: number;
}

export interface ClickhouseStore extends Store {
  /** A statement of ours that gives no rows: definitions, maintenance. */
  command(sql: string): Promise<void>;
}

const INSERT_MS = 60_000;
/** Definitions on a cluster wait for every server, three minutes by ClickHouse's own default. */
const COMMAND_MS = 240_000;
/** What a request may take beside the statement's own time. */
const GRACE_MS = 5_000;
/** Requests in flight: each kind has its own line, so that slow queries hold up no insert. */
const AT_ONCE = { writes: 8, reads: 8, selects: SELECTS } as const;
const RESULT_BYTES = 256 * 1024 * 1024;

/** Nothing of an answer is sent before its end is known: an error never hides behind half a result. */
const WHOLE = { wait_end_of_query: 1 } as const;
const READING = {
  ...WHOLE,
  // Nobody waits for what was given up.
  cancel_http_readonly_queries_on_client_close: 1,
  default_format: 'JSONCompact',
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_denormals: 1,
} as const;

/** Sent with every statement: 2 lets a request carry its bounds, and is what a read-only user may already have. */
const READ_ONLY = { database: 'eyrie', readonly: 2 } as const;

/**
 * A ClickHouse server over HTTP(S).
 * @throws AppError EYRIE_CONFIG_INVALID, EYRIE_STORE_UNAVAILABLE, EYRIE_STORE_FORBIDDEN, each with what to look at
 */
export async function openClickhouse(options: ClickhouseOptions): Promise<ClickhouseStore> {
  const { metrics, cluster, retention, keepsRetention } = options;
  const url = readServerUrl(options.url);
  const layout = cluster === undefined ? wholeLayout(SERVER_TABLE_SETTINGS) : clusterLayout(cluster);
  // Two tables that are both spread: the inner one is asked once, for all shards.
  const spread = cluster === undefined ? {} : { distributed_product_mode: 'global' };
  const own = { user: options.user, password: options.password, settings: settingsOf('EYRIE_CLICKHOUSE') };
  const other = options.analyst && { ...options.analyst, settings: settingsOf('EYRIE_CLICKHOUSE_ANALYST') };
  const requestsOf = ({ settings, ...user }: typeof own, atOnce: number) =>
    createRequests({
      url,
      ...user,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      atOnce,
      metrics,
      at: { origin: url.origin, user: user.user, settings },
    });
  const writes = requestsOf(own, AT_ONCE.writes);
  const reads = requestsOf(own, AT_ONCE.reads);
  const selects = requestsOf(other ?? own, AT_ONCE.selects);
  const bounded = boundSelects(metrics);

  const store: ClickhouseStore = {
    command: async (sql) => {
      const settings = { ...WHOLE, async_insert: 0, distributed_foreground_insert: 1 };
      await writes.send({ sql, settings, deadlineMs: COMMAND_MS });
    },
    migrate: () => migrateStore(store, store.command, { layout, retention, keepsRetention }),
    selfTest: () => selfTest(store, store.command, layout),
    insert: async (batch) => {
      const start = performance.now();
      const { rows } = batch;
      const deadlineMs = options.insertTimeoutMs ?? INSERT_MS;
      await writes.send({ sql: insertBodyStatement(batch), rows, settings: WHOLE, deadlineMs });
      countInsert(metrics, batch, start);
    },
    query: async <T>(
      sql: string,
      params: Readonly<Record<string, unknown>> = {},
      { timeoutMs = QUERY.timeoutMs, maxRows = QUERY.maxRows }: QueryOptions = {},
    ) => {
      const bounds = { max_execution_time: timeoutMs / 1_000, limit: maxRows, max_result_bytes: RESULT_BYTES };
      const settings = { ...READING, ...spread, ...bounds };
      const text = await reads.read({ sql, params, settings, deadlineMs: timeoutMs + GRACE_MS });
      return rowsOf<T>(text);
    },
    select: async (sql, { timeoutMs = SELECT.timeoutMs, maxRows = SELECT.maxRows }: QueryOptions = {}) => {
      const open = async (bounds: Readonly<Record<string, string | number>>) =>
        selects.session({ ...READING, ...spread, ...bounds, ...READ_ONLY }, timeoutMs + GRACE_MS);
      const reply = await bounded(() => runUntrusted(open, { sql, timeoutMs, maxRows }));
      if (reply.kind === 'refused') throw new AppError('EYRIE_SQL_REFUSED', reply.message);
      if (reply.kind === 'failed') throw toSelectError(reply.failure);
      return selectResultOf(reply.text, maxRows);
    },
    close: async () => {
      await Promise.all([writes, reads, selects].map((requests) => requests.close()));
    },
  };
  try {
    const [version] = await store.query<{ version: string }>('SELECT version() AS version');
    // The database may not be there yet.
    const settings = { ...READING, readonly: READ_ONLY.readonly };
    if (other !== undefined) await selects.read({ sql: 'SELECT 1', settings, deadlineMs: QUERY.timeoutMs });
    options.log.info({ clickhouse: url.origin, version: version?.version }, 'connected to ClickHouse');
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function settingsOf(prefix: string) {
  return { user: `${prefix}_USER`, password: `${prefix}_PASSWORD` };
}
