import type { TopicName } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import { keys, offsetOf } from './keys.ts';
import { type Kv, ONE_PAGE_BYTES } from './kv.ts';
import { type BlockEncoder, copyValue, entryBytes, valueAt, visitBlock } from './state-block.ts';
import { type Block, StateIndex } from './state-index.ts';

export interface StateSizes {
  /** Most bytes of a block, unless a single entry is longer. */
  readonly blockBytes: number;
  /** Cleaning begins above `SPACE_RATIO` × the live bytes and this. */
  readonly slackBytes: number;
}

/**
 * A block fills one page of the engine. Longer ones live long among frames that come and go: they break up the free
 * stretches frames need, and looking for one then costs several times the write itself.
 */
const SIZES: StateSizes = { blockBytes: ONE_PAGE_BYTES, slackBytes: 8 * 1024 * 1024 };
const SPACE_RATIO = 2;

/**
 * Bytes of old blocks a step may look through: `CLEAN_RATIO` × what it writes, and a little. Half of them are garbage
 * at that moment, so cleaning gains on any writer, and a writer pays at most twice its own bytes for it.
 */
const CLEAN_RATIO = 4;
const CLEAN_BYTES = 64 * 1024;

type Change = readonly [key: string, value: Buffer | null];

/**
 * The keyed state of one partition, as a log: each step appends its changes as a block, so that a commit writes about
 * the bytes it means instead of a page a key. Which entry counts is known in memory only, and read from the blocks at
 * the first use. A block without a newest entry goes at once. When too much is superseded, the oldest blocks are
 * cleaned: what still counts is written anew, the rest goes with the block.
 *
 * A tombstone hides older values, so it stays until its block is the oldest: then no older value is left to hide.
 */
export class StateLog {
  readonly topic: TopicName;
  readonly partition: number;
  readonly #kv: Kv;
  readonly #encoder: BlockEncoder;
  readonly #sizes: StateSizes;
  #index: StateIndex | undefined;

  /** State logs may share an encoder: it is empty between two calls. */
  constructor(kv: Kv, topic: TopicName, partition: number, encoder: BlockEncoder, sizes: StateSizes = SIZES) {
    this.#kv = kv;
    this.topic = topic;
    this.partition = partition;
    this.#encoder = encoder;
    this.#sizes = sizes;
  }

  /** Inside a transaction. Null removes a key; of a key that comes twice the last change counts. */
  write(changes: readonly Change[]): void {
    const index = this.#loaded();
    const encoder = this.#encoder;
    encoder.reset();
    let block: Block | undefined;
    let written = 0;
    const store = (full: Block) => {
      this.#kv.put(this.#key(full.sequence), encoder.bytes());
      index.stored(full, encoder.end);
      written += encoder.end;
      encoder.reset();
      block = undefined;
    };
    const add = (key: string, value: Buffer | null) => {
      if (block !== undefined && encoder.end + entryBytes(key, value) > this.#sizes.blockBytes) store(block);
      block ??= index.begin();
      const at = encoder.end;
      encoder.add(key, value);
      index.set(key, { block, at, bytes: value === null ? 0 : encoder.end - at });
    };
    for (const [key, value] of changes) {
      const isAbsent = value === null && (index.get(key)?.bytes ?? 0) === 0;
      if (!isAbsent) add(key, value);
    }
    this.#clean(index, CLEAN_RATIO * (written + encoder.end) + CLEAN_BYTES, add);
    if (block !== undefined) store(block);
    for (const emptied of index.takeEmptied()) this.#remove(index, emptied);
  }

  /** Nothing waits for state: never true. */
  committed(): boolean {
    this.#index?.committed();
    return false;
  }

  aborted(): void {
    this.#index?.aborted();
  }

  /** Bytes of all blocks and of the entries among them that count. */
  size(): { readonly held: number; readonly live: number } {
    const { held, live } = this.#loaded();
    return { held, live };
  }

  /** Entries that count, from a block on, about `maxBytes` of blocks; `next` is missing at the end. */
  portion(from: number, maxBytes: number): { readonly entries: readonly (readonly [string, Buffer])[]; next?: number } {
    const index = this.#loaded();
    const entries: (readonly [string, Buffer])[] = [];
    let next = from;
    let bytes = 0;
    this.#scan(from, (sequence, stored) => {
      visitBlock(stored, (key, at, size) => {
        if (size > 0 && index.isNewest(key, sequence, at)) entries.push([key, copyValue(stored, at)]);
      });
      bytes += stored.length;
      next = sequence + 1;
      return bytes < maxBytes;
    });
    return bytes < maxBytes ? { entries } : { entries, next };
  }

  /** Entries whose keys start with `prefix`, in the order of their keys. */
  read(prefix: string): readonly (readonly [string, Buffer])[] {
    const wanted = new Map<Block, { readonly key: string; readonly at: number }[]>();
    for (const [key, { block, at, bytes }] of this.#loaded().entries()) {
      if (bytes === 0 || !key.startsWith(prefix)) continue;
      const inBlock = wanted.get(block);
      if (inBlock === undefined) wanted.set(block, [{ key, at }]);
      else inBlock.push({ key, at });
    }
    const found: (readonly [string, Buffer])[] = [];
    for (const [block, places] of wanted) {
      const stored = this.#stored(block);
      for (const { key, at } of places) found.push([key, copyValue(stored, at)]);
    }
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #clean(index: StateIndex, allowance: number, add: (key: string, value: Buffer | null) => void): void {
    let left = allowance;
    while (left > 0 && index.held > SPACE_RATIO * index.live + this.#sizes.slackBytes) {
      const oldest = index.oldest();
      if (oldest === undefined) return;
      const stored = this.#stored(oldest);
      left -= stored.length;
      visitBlock(stored, (key, at, bytes) => {
        if (!index.isNewest(key, oldest.sequence, at)) return;
        if (bytes > 0) add(key, valueAt(stored, at));
        else index.set(key, undefined);
      });
      this.#remove(index, oldest);
    }
  }

  #remove(index: StateIndex, block: Block): void {
    this.#kv.remove(this.#key(block.sequence));
    index.remove(block);
  }

  #loaded(): StateIndex {
    if (this.#index !== undefined) return this.#index;
    const index = new StateIndex();
    this.#scan(0, (sequence, stored) => {
      index.load(sequence, stored.length, (add) => visitBlock(stored, add));
      return true;
    });
    this.#index = index;
    return index;
  }

  #scan(from: number, visit: (sequence: number, stored: Buffer) => boolean): void {
    const [, to] = keys.blocks(this.topic, this.partition);
    this.#kv.scan(this.#key(from), to, (key, stored) => visit(offsetOf(key), stored));
  }

  #stored({ sequence }: Block): Buffer {
    const stored = this.#kv.get(this.#key(sequence));
    if (stored !== undefined) return stored;
    throw new AppError('EYRIE_DATA_DIR_DAMAGED', `${this.topic}-${this.partition}: state block ${sequence} is missing`);
  }

  #key(sequence: number): Buffer {
    return keys.block(this.topic, this.partition, sequence);
  }
}
