import { clusterLayout } from '@eyrie/platform/store/cluster-layout';
import { type Layout, SERVER_TABLE_SETTINGS, TABLE_SETTINGS, wholeLayout } from '@eyrie/platform/store/layout';
import { allStatements } from '@eyrie/platform/store/migrate-store';
import { type Config, readConfig } from '../config.ts';
import { retentionOf } from '../open-store.ts';
import { printJson, printLine } from '../print.ts';
import { withTables } from '../with-tables.ts';

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
  const migrated = await withTables({ dataDir, config, name: 'migrate', fillsStore: true }, (store) => store.migrate());
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
