import type { Bus, Output } from '@eyrie/platform/bus/bus';
import type { DeadLetter, HealthRecord, RawPosition } from '@eyrie/schemas';

export { unreadableLetter } from '@eyrie/platform/dead-letter';

/** Records beside the main path, keyed by raw position so that a repeat replaces and never doubles them. */
export function deadLetterOutput(bus: Bus, partition: number, letter: DeadLetter): Output {
  return aside(bus, 'dead-letter', partition, positionKey(letter.raw_pos), letter);
}

export function healthOutput(bus: Bus, partition: number, record: HealthRecord): Output {
  const key = record.raw_pos === undefined ? `${record.kind}/${record.time}` : positionKey(record.raw_pos);
  return aside(bus, 'health', partition, key, record);
}

function positionKey({ log, partition, offset, index }: RawPosition): string {
  return `${log}/${partition}/${offset}/${index}`;
}

function aside(bus: Bus, topic: 'dead-letter' | 'health', partition: number, key: string, record: object): Output {
  return { topic, partition: partition % bus.partitions(topic), key, value: Buffer.from(JSON.stringify(record)) };
}
