import type { Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import { unreadableLetter } from '@eyrie/platform/dead-letter';
import type { Signer } from '@eyrie/platform/sign';
import { FrameError, TOPICS } from '@eyrie/schemas';

const MESSAGE_CHARS = 500;

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
  bus: Pick<Bus, 'logIdentity'>,
  record: BusRecord,
  error: unknown,
): { readonly reason: string; readonly output: Output } {
  const reason = reasonOf(error);
  const message = error instanceof Error ? error.message.slice(0, MESSAGE_CHARS) : 'unreadable record';
  const letter = unreadableLetter(bus, 'archiver', record, reason, message);
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
