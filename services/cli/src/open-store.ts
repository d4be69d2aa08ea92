import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import type { Config } from './config.ts';

interface Dependencies {
  readonly dataDir: string;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The tables, where `EYRIE_STORE` says: migrated, and proven to insert a token once. @throws what `Store` throws */
export async function openStore({ dataDir, config, log, metrics }: Dependencies): Promise<Store> {
  const retention = {
    eventsDays: config.EYRIE_STORE_EVENTS_DAYS,
    versionsDays: config.EYRIE_STORE_VERSIONS_DAYS,
    healthDays: config.EYRIE_STORE_HEALTH_DAYS,
  };
  const store = await openChdb({ dataDir, log, metrics, retention });
  try {
    await store.migrate();
    await store.selfTest();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
