import { AppError } from '@eyrie/platform/errors';
import { selectOverSocket } from '@eyrie/platform/store/sql-client';
import type { Select } from '@eyrie/responder';
import { type Config, readConfig } from './config.ts';
import { PARTITIONS } from './option-values.ts';
import { rulePaths } from './rule-paths.ts';
import { withTables } from './with-tables.ts';

/** What the verbs that ask history are told. Moments in milliseconds. */
export interface HistoryOptions {
  readonly dataDir: string;
  readonly from: number;
  readonly to?: number;
  readonly partitions?: number;
}

/** How the rules are read and which history is asked, as configured. @throws AppError EYRIE_USAGE */
export function historySettings({ from, to = Date.now(), partitions }: HistoryOptions, config: Config) {
  if (from >= to) throw new AppError('EYRIE_USAGE', '--from must lie before --to');
  const { scriptsDir, connectionsFile } = rulePaths(config);
  const configured = config.EYRIE_BUS === 'kafka' ? PARTITIONS.actions : config.EYRIE_BUS_PARTITIONS;
  return {
    paths: {
      ...(scriptsDir !== undefined && { scriptsDir }),
      ...(connectionsFile !== undefined && { connectionsFile }),
    },
    span: { from, to },
    partitions: partitions ?? configured,
  };
}

/** Settings of the verbs that only read: their logs would stand between the lines of the answer. */
export function quietConfig(): Config {
  return readConfig({ EYRIE_LOG_LEVEL: 'warn', ...process.env });
}

/**
 * Asks the tables: those of the running process of the data directory, else the directory itself, or the configured server.
 * @throws AppError what opening or asking the tables throws
 */
export async function withHistory<T>(
  dataDir: string,
  config: Config,
  task: (select: Select) => Promise<T>,
): Promise<T> {
  if (config.EYRIE_STORE === 'chdb' && (await isRunning(dataDir))) {
    return task((sql, options) => selectOverSocket(dataDir, sql, options));
  }
  return withTables({ dataDir, config, name: 'history', fillsStore: false }, (store) =>
    task((sql, options) => store.select(sql, options)),
  );
}

async function isRunning(dataDir: string): Promise<boolean> {
  try {
    await selectOverSocket(dataDir, 'SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'EYRIE_STORE_UNAVAILABLE') return false;
    throw error;
  }
}
