import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDataDirectory } from '@eyrie/platform/bus/data-directory';
import { AppError } from '@eyrie/platform/errors';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import type { Store } from '@eyrie/platform/store/store';
import type { Config } from './config.ts';
import { openTables } from './open-store.ts';

interface TablesOptions {
  readonly dataDir: string;
  readonly config: Config;
  /** Named in every line of the log. */
  readonly name: string;
  readonly fillsStore: boolean;
}

/** The tables of the configured store for one task, as they are found. @throws AppError EYRIE_CONFIG_INVALID, and what opening a store throws */
export async function withTables<T>(
  { dataDir, config, name, fillsStore }: TablesOptions,
  task: (store: Store) => Promise<T>,
): Promise<T> {
  const log = createLogger({ name, level: config.EYRIE_LOG_LEVEL });
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
    const store = await openTables({ dataDir, config, log, metrics: createMetrics(), fillsStore });
    try {
      return await task(store);
    } finally {
      await store.close();
    }
  } finally {
    directory?.close();
  }
}
