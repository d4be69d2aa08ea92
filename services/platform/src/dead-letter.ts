import { hash } from 'node:crypto';
import { type DeadLetter, LIMITS } from '@eyrie/schemas';
import type { Bus, BusRecord } from './bus/bus.ts';

/**
 * A record no reader could take, whole. Its place names the topic as well: offsets of two topics are often equal, and
 * their letters must stay two.
 */
export function unreadableLetter(
  bus: Pick<Bus, 'logIdentity'>,
  stage: string,
  { topic, partition, offset, timestamp, value }: BusRecord,
  reason: string,
  message: string,
): DeadLetter {
  return {
    v: 1,
    stage,
    reason,
    message,
    at: timestamp,
    topic,
    raw_pos: { log: `${bus.logIdentity(topic, partition)}/${topic}`, partition, offset, index: 0 },
    bytes: value.length,
    sha256: hash('sha256', value, 'hex'),
    head: value.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
}
