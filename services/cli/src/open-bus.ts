import type { Bus } from '@eyrie/platform/bus/bus';
import type { DataDirectory } from '@eyrie/platform/bus/data-directory';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { openLog } from '@eyrie/platform/bus/log';
import type { Clock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Config } from './config.ts';

interface Dependencies {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The topics, where `EYRIE_BUS` says. @throws AppError EYRIE_CONFIG_INVALID, EYRIE_BUS_UNAVAILABLE, and what `openLog` throws */
export async function openBus(directory: DataDirectory, { config, ...deps }: Dependencies): Promise<Bus> {
  if (config.EYRIE_BUS === 'kafka') return openKafka({ ...kafkaOptions(config), ...deps });
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

/** How to reach the brokers. @throws AppError EYRIE_CONFIG_INVALID */
function kafkaOptions(config: Config) {
  const brokers = config.EYRIE_KAFKA_BROKERS;
  if (brokers === undefined) {
    throw new AppError('EYRIE_CONFIG_INVALID', 'EYRIE_KAFKA_BROKERS is missing: EYRIE_BUS=kafka needs host:port');
  }
  return {
    brokers,
    clientId: config.EYRIE_KAFKA_CLIENT_ID,
    prefix: config.EYRIE_TOPIC_PREFIX,
    sessionTimeoutMs: config.EYRIE_KAFKA_SESSION_TIMEOUT_MS,
  };
}
