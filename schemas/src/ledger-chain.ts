import { createHash } from 'node:crypto';
import type { ActionRecord } from './action.ts';

/** How far the ledger of a partition has come: the number of its last line and the hash over all lines up to it. */
export interface ChainHead {
  readonly seq: number;
  /** SHA-256, 64 hex digits. */
  readonly chain: string;
}

/** Before the first line. */
export const CHAIN_START: ChainHead = { seq: 0, chain: '0'.repeat(64) };

/** What a ledger line says, without its place in the chain. */
export type LedgerPayload = Omit<ActionRecord, 'mac' | 'v' | 'seq' | 'digest' | 'chain'>;

/**
 * SHA-256 (hex) over what a line says: values in a fixed order, absent ones as empty, so that a row of ClickHouse gives the
 * digest of its record.
 */
export function ledgerDigest(line: LedgerPayload): string {
  return sha256(
    JSON.stringify([
      line.tenant,
      line.cluster,
      line.intent_key,
      line.version,
      line.state,
      line.reason,
      line.rule_id,
      line.rule_version,
      line.action,
      line.actionner,
      line.class,
      line.mode,
      line.alert_id,
      line.event_id ?? '',
      line.target,
      line.incarnation,
      line.attempt,
      line.at,
      line.detail ?? '',
      line.plan ?? '',
      line.plan_hash ?? '',
      line.due_at ?? 0,
      line.by ?? '',
    ]),
  );
}

/** The head after one more line. It hashes the digest, not the line: a line may be erased and the chain still holds. */
export function nextHead({ seq, chain }: ChainHead, digest: string): ChainHead {
  return { seq: seq + 1, chain: sha256(`${chain} ${seq + 1} ${digest}`) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
