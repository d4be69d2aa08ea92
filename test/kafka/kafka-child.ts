import type { Bus } from '@eyrie/platform/bus/bus';
import { type KafkaOptions, openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger, type LogLevel } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';

/** What a child process needs to open the same bus. */
interface Place {
  readonly brokers: readonly string[];
  readonly prefix: string;
}

/** A group that keeps state. */
export const STATE_GROUP = { group: 'judge', inputs: ['events'], state: 'alert-state' } as const;

/** A dead member of a group is waited for that long. */
const SESSION_TIMEOUT_MS = 2_000;

export function kafkaOptions(place: Place): KafkaOptions {
  const level = (process.env['EYRIE_TEST_LOG'] ?? 'silent') as LogLevel;
  return {
    ...place,
    clientId: 'eyrie-test',
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    log: createLogger({ name: 'test', level }),
    metrics: createMetrics(),
    clock: systemClock,
  };
}

/** Opens the bus a test made, in a process of its own. */
export function openBus(argument: string): Promise<Bus> {
  return openKafka(kafkaOptions(JSON.parse(argument) as Place));
}
