import type { Bus } from '@eyrie/platform/bus/bus';
import type { DataDirectory } from '@eyrie/platform/bus/data-directory';
import { openLog } from '@eyrie/platform/bus/log';
import type { Clock } from '@eyrie/platform/clock';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Config } from './config.ts';
import { kafkaOptions } from './kafka-options.ts';

interface Dependencies {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The topics, where `EYRIE_BUS` says. @throws AppError EYRIE_CONFIG_INVALID, EYRIE_BUS_UNAVAILABLE, and what `openLog` throws */
export async function openBus(directory: DataDirectory, { config, ...deps }: Dependencies): Promise<Bus> {
  if (config.EYRIE_BUS === 'kafka') {
    const { openKafka } = await import('@eyrie/platform/bus/kafka/kafka');
    return openKafka({ ...kafkaOptions(config), ...deps });
  }
  const partitions = config.EYRIE_BUS_PARTITIONS;
  return openLog({
    dataDir: directory,
    partitions: { raw: partitions, alerts: partitions, actions: partitions },
    maxBytes: config.EYRIE_BUS_MAX_BYTES,
    retention: { targetBytes: config.EYRIE_BUS_TARGET_BYTES },
    sync: config.EYRIE_BUS_SYNC,
    ...deps,
  });
}
