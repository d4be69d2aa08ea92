import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { type ChdbStore, openChdb } from './chdb.ts';
import { clusterLayout } from './cluster-layout.ts';
import { SERVER_TABLE_SETTINGS, wholeLayout } from './layout.ts';
import { readMigrations, statementsOf } from './migrate.ts';
import { allStatements } from './migrate-store.ts';

/**
 * What a cluster is told, PARSED ONLY: replicas need servers with Keeper, which these tests do not have. The engine
 * parses every statement; whether a cluster carries it out, an operator sees by `eyrie migrate`.
 */
let directory: string;
let store: ChdbStore;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'eyrie-layout-'));
  store = await openChdb({
    dataDir: directory,
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function parsed(sql: string): Promise<string> {
  const [row] = await store.query<{ text: string }>('SELECT formatQuerySingleLine({sql:String}) AS text', { sql });
  return row?.text ?? '';
}

it.each([
  ['a cluster', clusterLayout('my-cluster')],
  ['one server', wholeLayout(SERVER_TABLE_SETTINGS)],
])('every statement for %s parses', async (_, layout) => {
  for (const statement of allStatements({ layout })) expect(await parsed(statement)).not.toBe('');
});

it('negative control: the parser refuses what is none', async () => {
  await expect(parsed('CREATE TABLE a.b ON (x UInt8) ENGINE = MergeTree')).rejects.toThrow();
});

it('a cluster is told everywhere, and keeps rows in replicated tables with tokens of their own', async () => {
  const statements = await Promise.all(allStatements({ layout: clusterLayout('my-cluster') }).map(parsed));
  const definitions = statements.filter((statement) => !statement.startsWith('INSERT'));
  expect(definitions.filter((statement) => !statement.includes('ON CLUSTER `my-cluster`'))).toEqual([]);
  const tables = definitions.filter((statement) => statement.startsWith('CREATE TABLE'));
  for (const statement of tables) {
    const [, database] = /^CREATE TABLE IF NOT EXISTS (\w+)\./.exec(statement) ?? [];
    if (database === 'eyrie') expect(statement).toMatch(/ENGINE = Distributed\(`my-cluster`, eyrie_local, \w+, .+\)$/);
    else expect(statement).toMatch(/ENGINE = Replicated\w*MergeTree/);
    if (database === 'eyrie_local' && !statement.includes('eyrie_local.migrations ')) {
      expect(statement).toContain('replicated_deduplication_window = 20000');
    }
  }
  expect(tables.length % 2).toBe(0);
});

it('views read all shards, feeds stay within one', async () => {
  const statements = await Promise.all(allStatements({ layout: clusterLayout('c') }).map(parsed));
  const of = (kind: string) => statements.filter((statement) => statement.startsWith(`CREATE ${kind}`));
  expect(of('VIEW').length).toBeGreaterThan(0);
  for (const view of of('VIEW')) expect(view).not.toContain('eyrie_local');
  expect(of('MATERIALIZED VIEW').length).toBeGreaterThan(0);
  for (const feed of of('MATERIALIZED VIEW')) expect(feed).not.toMatch(/\beyrie\./);
});

it('changes of columns reach both tables, of anything else those with the rows', () => {
  const { arrange } = clusterLayout('c');
  expect(arrange("ALTER TABLE eyrie.events ADD COLUMN IF NOT EXISTS x String DEFAULT ''")).toEqual([
    "ALTER TABLE eyrie_local.events ON CLUSTER `c` ADD COLUMN IF NOT EXISTS x String DEFAULT ''",
    "ALTER TABLE eyrie.events ON CLUSTER `c` ADD COLUMN IF NOT EXISTS x String DEFAULT ''",
  ]);
  expect(arrange('ALTER TABLE eyrie.events MODIFY TTL day + INTERVAL 3 DAY')).toHaveLength(1);
  expect(() => arrange('RENAME TABLE eyrie.events TO eyrie.other')).toThrow('not a definition');
  expect(() => arrange('CREATE TABLE IF NOT EXISTS eyrie.unheard_of (x UInt8) ENGINE = Log')).toThrow('sharding key');
});

it('every table of the migrations has a tenant to be spread by, and a key within it', async () => {
  await store.migrate();
  const values = { ...wholeLayout('x = 1').values, events_days: 1, versions_days: 1, health_days: 1 };
  for (const statement of readMigrations().flatMap((migration) => statementsOf(migration, values))) {
    const [, , distributed = ''] = [statement, ...clusterLayout('c').arrange(statement)];
    const [, table, keys] = /eyrie_local, (\w+), sipHash64\((.+)\)\)$/.exec(distributed) ?? [];
    if (table === undefined) continue;
    expect(await store.query(`SELECT ${keys} FROM eyrie.${table} LIMIT 0`)).toEqual([]);
  }
});
