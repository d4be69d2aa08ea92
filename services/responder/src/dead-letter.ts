import type { Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import { unreadableLetter } from '@eyrie/platform/dead-letter';
import type { Refusal } from '@eyrie/platform/sign';

/** A record the responder could not take. Keyed by its position, so that a repeat does not double it. */
export function deadLetter(bus: Bus, record: BusRecord, reason: Refusal, message: string): Output {
  const letter = unreadableLetter(bus, 'responder', record, reason, message);
  const { log, partition, offset } = letter.raw_pos;
  return {
    topic: 'dead-letter',
    partition: partition % bus.partitions('dead-letter'),
    key: `responder/${log}/${partition}/${offset}`,
    value: Buffer.from(JSON.stringify(letter)),
  };
}
