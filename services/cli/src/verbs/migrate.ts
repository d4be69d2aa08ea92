import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDataDirectory } from '@eyrie/platform/bus/data-directory';
import { AppError } from '@eyrie/platform/errors';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { clusterLayout } from '@eyrie/platform/store/cluster-layout';
import { type Layout, SERVER_TABLE_SETTINGS, TABLE_SETTINGS, wholeLayout } from '@eyrie/platform/store/layout';
import { allStatements } from '@eyrie/platform/store/migrate-store';
import type { Store } from '@eyrie/platform/store/store';
import { type Config, readConfig } from '../config.ts';
import { openTables, retentionOf } from '../open-store.ts';
import { printJson, printLine } from '../print.ts';

interface MigrateOptions {
  readonly dataDir: string;
  readonly print?: boolean;
  readonly json?: boolean;
}

/** Brings the tables of the configured store up to this version; with `print` only says how, and connects to nothing. */
export async function migrate({ dataDir, print, json }: MigrateOptions): Promise<void> {
  const config = readConfig(process.env);
  if (print === true) {
    const statements = allStatements({ layout: layoutOf(config), retention: retentionOf(config) });
    if (json === true) printJson(statements);
    else for (const statement of statements) printLine(`${statement};\n`);
    return;
  }
  const migrated = await withTables(dataDir, config, (store) => store.migrate());
  if (json === true) return printJson(migrated);
  for (const { number, name, applied } of migrated) {
    printLine(`${String(number).padStart(4, '0')}_${name}  ${applied ? 'applied' : 'was there'}`);
  }
}

function layoutOf(config: Config): Layout {
  if (config.EYRIE_STORE === 'chdb') return wholeLayout(TABLE_SETTINGS);
  const cluster = config.EYRIE_CLICKHOUSE_CLUSTER;
  return cluster === undefined ? wholeLayout(SERVER_TABLE_SETTINGS) : clusterLayout(cluster);
}

async function withTables<T>(dataDir: string, config: Config, task: (store: Store) => Promise<T>): Promise<T> {
  const log = createLogger({ name: 'migrate', level: config.EYRIE_LOG_LEVEL });
  const isEmbedded = config.EYRIE_STORE === 'chdb';
  if (isEmbedded && !existsSync(join(dataDir, 'clickhouse'))) {
    // Tables without their log would be taken for what is left of a damaged directory.
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `${dataDir} has no tables yet: \`eyrie up\` makes them. For those of a server set EYRIE_STORE=clickhouse`,
    );
  }
  const directory = isEmbedded ? openDataDirectory(dataDir) : undefined;
  try {
    const store = await openTables({ dataDir, config, log, metrics: createMetrics(), fillsStore: true });
    try {
      return await task(store);
    } finally {
      await store.close();
    }
  } finally {
    directory?.close();
  }
}
