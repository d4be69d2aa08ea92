import { hash } from 'node:crypto';
import type { Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import { type DeadLetter, type HealthRecord, LIMITS, type RawPosition, type Reason, type Stage } from '@eyrie/schemas';

/** Records beside the main path, keyed by raw position so that a repeat replaces and never doubles them. */
export function deadLetterOutput(bus: Bus, partition: number, letter: DeadLetter): Output {
  return aside(bus, 'dead-letter', partition, positionKey(letter.raw_pos), letter);
}

export function healthOutput(bus: Bus, partition: number, record: HealthRecord): Output {
  const key = record.raw_pos === undefined ? `${record.kind}/${record.time}` : positionKey(record.raw_pos);
  return aside(bus, 'health', partition, key, record);
}

/** A record no reader could take, whole. */
export function unreadableLetter(
  bus: Bus,
  stage: Stage,
  { topic, partition, offset, timestamp, value }: BusRecord,
  reason: Reason<'dead-lettered'>,
  message: string,
): DeadLetter {
  return {
    v: 1,
    stage,
    reason,
    message,
    at: timestamp,
    topic,
    raw_pos: { log: bus.logIdentity(topic, partition), partition, offset, index: 0 },
    bytes: value.length,
    sha256: hash('sha256', value, 'hex'),
    head: value.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
}

function positionKey({ log, partition, offset, index }: RawPosition): string {
  return `${log}/${partition}/${offset}/${index}`;
}

function aside(bus: Bus, topic: 'dead-letter' | 'health', partition: number, key: string, record: object): Output {
  return { topic, partition: partition % bus.partitions(topic), key, value: Buffer.from(JSON.stringify(record)) };
}
