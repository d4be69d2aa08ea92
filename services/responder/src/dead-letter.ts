import { hash } from 'node:crypto';
import type { Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import { type DeadLetter, LIMITS } from '@eyrie/schemas';

export type Unreadable = 'newer_format' | 'bad_signature' | 'unreadable';

/** A record the responder could not take. Keyed by its position, so that a repeat does not double it. */
export function deadLetter(bus: Bus, record: BusRecord, reason: Unreadable, message: string): Output {
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

export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: Unreadable };

/** A record of a signed topic, believed only with its mac. */
export function readSigned<T extends { readonly v: number }>(
  { value }: BusRecord,
  signer: { verify(record: object): boolean },
  newest: number,
): Read<T> {
  let record: T;
  try {
    record = JSON.parse(value.toString()) as T;
  } catch {
    return { ok: false, reason: 'unreadable' };
  }
  if (typeof record !== 'object' || record === null) return { ok: false, reason: 'unreadable' };
  if (!signer.verify(record)) return { ok: false, reason: 'bad_signature' };
  return record.v > newest ? { ok: false, reason: 'newer_format' } : { ok: true, value: record };
}
