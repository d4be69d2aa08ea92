import { hash } from 'node:crypto';
import type { Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import type { Refusal } from '@eyrie/platform/sign';
import { type DeadLetter, LIMITS } from '@eyrie/schemas';

/** A record the responder could not take. Keyed by its position, so that a repeat does not double it. */
export function deadLetter(bus: Bus, record: BusRecord, reason: Refusal, message: string): Output {
  const { topic, partition, offset, timestamp, value } = record;
  const log = bus.logIdentity(topic, partition);
  const letter: DeadLetter = {
    v: 1,
    stage: 'responder',
    reason,
    message,
    at: timestamp,
    topic,
    raw_pos: { log, partition, offset, index: 0 },
    bytes: value.length,
    sha256: hash('sha256', value, 'hex'),
    head: value.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
  return {
    topic: 'dead-letter',
    partition: partition % bus.partitions('dead-letter'),
    key: `responder/${topic}/${log}/${partition}/${offset}`,
    value: Buffer.from(JSON.stringify(letter)),
  };
}
