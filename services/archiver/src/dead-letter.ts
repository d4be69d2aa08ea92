import { createHash } from 'node:crypto';
import type { BusRecord, Output } from '@eyrie/platform/bus/bus';
import type { Signer } from '@eyrie/platform/sign';
import { type DeadLetter, FrameError, LIMITS, TOPICS } from '@eyrie/schemas';

/** False for a record of a signed topic without the mac its content demands. Unsigned topics are always trusted. */
export function isTrusted(signer: Signer | undefined, record: Pick<BusRecord, 'topic' | 'value'>): boolean {
  if (signer === undefined || !TOPICS[record.topic].signed || record.value.length === 0) return true;
  return signer.isSealed(record.value);
}

export class BadSignature extends Error {
  constructor() {
    super('the record does not carry the mac its content demands');
    this.name = 'BadSignature';
  }
}

/** A record the archiver cannot store, set aside with its first bytes and its place. */
export function deadLetterOf(
  record: BusRecord,
  logIdentity: string,
  error: unknown,
  now: number,
): { readonly reason: string; readonly output: Output } {
  const reason = reasonOf(error);
  const letter: DeadLetter = {
    v: 1,
    stage: 'archiver',
    reason,
    message: error instanceof Error ? error.message.slice(0, 500) : 'unreadable record',
    at: now,
    topic: record.topic,
    raw_pos: { log: `${logIdentity}/${record.topic}`, partition: record.partition, offset: record.offset, index: 0 },
    bytes: record.value.length,
    sha256: createHash('sha256').update(record.value).digest('hex'),
    head: record.value.subarray(0, LIMITS.deadLetterBytes).toString('base64'),
  };
  return {
    reason,
    output: {
      topic: 'dead-letter',
      partition: 0,
      key: `${letter.raw_pos.log}/${record.partition}/${record.offset}/0`,
      value: Buffer.from(JSON.stringify(letter)),
    },
  };
}

function reasonOf(error: unknown): 'bad_signature' | 'newer_format' | 'unreadable' {
  if (error instanceof BadSignature) return 'bad_signature';
  return error instanceof FrameError && error.code === 'newer_format' ? 'newer_format' : 'unreadable';
}
