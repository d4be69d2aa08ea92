import { CHAIN_START, type ChainHead, type LedgerPayload, ledgerDigest, nextHead } from '@eyrie/schemas/ledger-chain';

export interface ChainLink {
  readonly seq: number;
  readonly digest: string;
  readonly chain: string;
  readonly intent_key: string;
  readonly version: number;
  /** Absent where it was erased: the digest stands for it. */
  readonly payload?: LedgerPayload;
}

export interface ChainBreak {
  readonly seq: number;
  readonly problem: 'missing' | 'changed' | 'twice' | 'cut_off' | 'unsigned';
  readonly intent_key?: string;
  readonly version?: number;
}

/**
 * Holds lines, given in order, against the chain and its head. The first line is taken as it is, unless it is number 1: what
 * lies before it went with time. After a break there is nothing to say: what follows hangs on it.
 */
export class ChainCheck {
  readonly #expected: ChainHead;
  #at: ChainHead | undefined;
  #count = 0;

  constructor(expected: ChainHead) {
    this.#expected = expected;
  }

  get count(): number {
    return this.#count;
  }

  /** The number of the last line taken. */
  get seq(): number {
    return this.#at?.seq ?? 0;
  }

  take(link: ChainLink): ChainBreak | undefined {
    const { seq, digest, chain, payload, intent_key, version } = link;
    const broken = (problem: ChainBreak['problem'], at = seq): ChainBreak => ({
      seq: at,
      problem,
      intent_key,
      version,
    });
    this.#count += 1;
    if (payload !== undefined && ledgerDigest(payload) !== digest) return broken('changed');
    const before = this.#at ?? (seq === 1 ? CHAIN_START : undefined);
    if (before !== undefined) {
      if (seq <= before.seq) return broken('twice');
      if (seq > before.seq + 1) return { seq: before.seq + 1, problem: 'missing' };
      if (nextHead(before, digest).chain !== chain) return broken('changed');
    }
    if (seq === this.#expected.seq && chain !== this.#expected.chain) return broken('changed');
    this.#at = { seq, chain };
    return undefined;
  }

  /** After the last line: whether it is the one the head names. */
  end(): ChainBreak | undefined {
    if (this.seq >= this.#expected.seq) return undefined;
    return { seq: this.seq + 1, problem: 'cut_off' };
  }
}
