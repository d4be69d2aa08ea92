import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import { openClickhouse } from '@eyrie/platform/store/server';
import type { Store } from '@eyrie/platform/store/store';
import { clickhouseOptions } from './clickhouse-options.ts';
import type { Config } from './config.ts';

interface Dependencies {
  readonly dataDir: string;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Whoever only reads leaves the tables' retention to those who fill them. */
  readonly fillsStore: boolean;
}

/**
 * The tables, where `EYRIE_STORE` says: migrated, and for who fills them proven to insert a token once.
 * @throws what `Store` throws
 */
export async function openStore(deps: Dependencies): Promise<Store> {
  const { fillsStore } = deps;
  const store = await openTables(deps);
  try {
    await store.migrate();
    if (fillsStore) await store.selfTest();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The same, as they are found. @throws AppError EYRIE_CONFIG_INVALID, and what opening a store throws */
export function openTables({ dataDir, config, log, metrics, fillsStore }: Dependencies): Promise<Store> {
  const common = { log, metrics, retention: retentionOf(config) };
  if (config.EYRIE_STORE === 'chdb') return openChdb({ dataDir, ...common });
  return openClickhouse({ ...clickhouseOptions(config), ...common, keepsRetention: !fillsStore });
}

export function retentionOf(config: Config) {
  return {
    eventsDays: config.EYRIE_STORE_EVENTS_DAYS,
    versionsDays: config.EYRIE_STORE_VERSIONS_DAYS,
    healthDays: config.EYRIE_STORE_HEALTH_DAYS,
  };
}
