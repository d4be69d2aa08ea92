import { NewerFormat } from './newer-format.ts';

/** Ids a block holds: a block is rewritten until it is full. */
export const BLOCK_IDS = 512;
const ID_BYTES = 16;
const HEADER_BYTES = 16;
const FORMAT = 1;

export interface SeenLimits {
  readonly seenMin: number;
  readonly seenMs: number;
  readonly seenMax: number;
}

/** Whether bytes are a block, of this version or a newer one, whose shape nobody knows. */
export function isBlock(value: Buffer): boolean {
  if (value.length > 0 && value.readUInt8(0) > FORMAT) return true;
  return value.length >= HEADER_BYTES && (value.length - HEADER_BYTES) % ID_BYTES === 0;
}

/**
 * The redelivery memory: 128-bit ids in the order they were accepted, whatever their event time.
 * At least `seenMin` are held, then those of the last `seenMs` of intake time while there are fewer than `seenMax`.
 * Ids lie in one typed array (a ring of blocks) and are found through an open-addressed table: no object an id.
 */
export class SeenIds {
  #ids = new Uint32Array(4 * BLOCK_IDS * 4);
  #table = new Int32Array(4 * BLOCK_IDS * 2);
  /** Numbers of the oldest id held and of the next one; the ring position is the number modulo its capacity. */
  #first = 0;
  #next = 0;
  /** Newest intake time of each block held, by number of the block; `#times[0]` belongs to the block of `#first`. */
  readonly #times: number[] = [];
  readonly #dirty = new Set<number>();
  readonly #removed = new Set<number>();
  readonly #probe = new Uint32Array(4);

  get size(): number {
    return this.#next - this.#first;
  }

  /** Milliseconds of intake time from the oldest block to the newest. */
  get spanMs(): number {
    return Math.max(0, (this.#times.at(-1) ?? 0) - (this.#times[0] ?? 0));
  }

  has(id: string): boolean {
    parseId(id, this.#probe);
    return this.#find(this.#probe) >= 0;
  }

  /** True when ids younger than `seenMs` had to go because of `seenMax`. */
  add(id: string, intakeMs: number, limits: SeenLimits): boolean {
    if (this.size === this.#capacity) this.#grow();
    parseId(id, this.#probe);
    const number = this.#next;
    this.#ids.set(this.#probe, (number % this.#capacity) * 4);
    this.#next += 1;
    this.#insert(number);
    const block = Math.floor(number / BLOCK_IDS);
    const slot = block - this.#firstBlock;
    this.#times[slot] = Math.max(this.#times[slot] ?? 0, intakeMs);
    this.#dirty.add(block);
    return this.#forget(intakeMs, limits);
  }

  /** Blocks written or dropped since the last call: [number, value or null]. */
  takeChanges(): (readonly [block: number, value: Buffer | null])[] {
    const changes: (readonly [number, Buffer | null])[] = [];
    for (const block of this.#removed) changes.push([block, null]);
    for (const block of this.#dirty) changes.push([block, this.#encode(block)]);
    this.#removed.clear();
    this.#dirty.clear();
    return changes;
  }

  /** Takes blocks up again, in rising order. */
  restore(blocks: readonly (readonly [block: number, value: Buffer])[]): void {
    for (const [block, value] of blocks) {
      if (value.readUInt8(0) > FORMAT)
        throw new NewerFormat(`block of seen ids has format ${value.readUInt8(0)}, newer than ${FORMAT}`);
      if (this.size === 0) {
        this.#first = block * BLOCK_IDS;
        this.#next = this.#first;
      }
      const count = (value.length - HEADER_BYTES) / ID_BYTES;
      for (let i = 0; i < count; i += 1) {
        if (this.size === this.#capacity) this.#grow();
        const at = (this.#next % this.#capacity) * 4;
        for (let word = 0; word < 4; word += 1) {
          this.#ids[at + word] = value.readUInt32BE(HEADER_BYTES + i * ID_BYTES + word * 4);
        }
        this.#next += 1;
        this.#insert(this.#next - 1);
      }
      this.#times[block - this.#firstBlock] = value.readDoubleBE(8);
    }
  }

  get #capacity(): number {
    return this.#ids.length / 4;
  }

  get #firstBlock(): number {
    return Math.floor(this.#first / BLOCK_IDS);
  }

  #forget(intakeMs: number, { seenMin, seenMs, seenMax }: SeenLimits): boolean {
    let young = false;
    while (this.size - BLOCK_IDS >= seenMin) {
      const isOld = (this.#times[0] ?? 0) < intakeMs - seenMs;
      if (!isOld && this.size <= seenMax) break;
      young ||= !isOld;
      const block = this.#firstBlock;
      const end = (block + 1) * BLOCK_IDS;
      while (this.#first < end) {
        this.#delete(this.#first);
        this.#first += 1;
      }
      this.#times.shift();
      this.#dirty.delete(block);
      this.#removed.add(block);
    }
    return young;
  }

  #slotOf(words: Uint32Array, at: number): number {
    // The ids are hashes already: any 32 of their bits are as good as another hash.
    return (words[at] ?? 0) & (this.#table.length - 1);
  }

  #equals(number: number, words: Uint32Array): boolean {
    const at = (number % this.#capacity) * 4;
    const ids = this.#ids;
    return ids[at] === words[0] && ids[at + 1] === words[1] && ids[at + 2] === words[2] && ids[at + 3] === words[3];
  }

  /** Table entries hold number − (multiple of the capacity) + 1: the ring position plus one; 0 is empty. */
  #find(words: Uint32Array): number {
    const mask = this.#table.length - 1;
    for (let slot = this.#slotOf(words, 0); ; slot = (slot + 1) & mask) {
      const entry = this.#table[slot] ?? 0;
      if (entry === 0) return -1;
      if (this.#equals(entry - 1, words)) return slot;
    }
  }

  #insert(number: number): void {
    const mask = this.#table.length - 1;
    const position = number % this.#capacity;
    let slot = this.#slotOf(this.#ids, position * 4);
    while ((this.#table[slot] ?? 0) !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = position + 1;
  }

  #delete(number: number): void {
    const position = number % this.#capacity;
    const mask = this.#table.length - 1;
    let hole = this.#slotOf(this.#ids, position * 4);
    while (this.#table[hole] !== position + 1) hole = (hole + 1) & mask;
    // Close the hole by moving back whatever would no longer be found behind it.
    for (let slot = (hole + 1) & mask; (this.#table[slot] ?? 0) !== 0; slot = (slot + 1) & mask) {
      const home = this.#slotOf(this.#ids, ((this.#table[slot] ?? 0) - 1) * 4);
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        this.#table[hole] = this.#table[slot] ?? 0;
        hole = slot;
      }
    }
    this.#table[hole] = 0;
  }

  #grow(): void {
    const old = this.#ids;
    const oldCapacity = this.#capacity;
    this.#ids = new Uint32Array(old.length * 2);
    this.#table = new Int32Array(this.#capacity * 2);
    for (let number = this.#first; number < this.#next; number += 1) {
      const from = (number % oldCapacity) * 4;
      this.#ids.set(old.subarray(from, from + 4), (number % this.#capacity) * 4);
      this.#insert(number);
    }
  }

  #encode(block: number): Buffer {
    const from = Math.max(this.#first, block * BLOCK_IDS);
    const to = Math.min(this.#next, (block + 1) * BLOCK_IDS);
    const value = Buffer.alloc(HEADER_BYTES + (to - from) * ID_BYTES);
    value.writeUInt8(FORMAT, 0);
    value.writeDoubleBE(this.#times[block - this.#firstBlock] ?? 0, 8);
    let at = HEADER_BYTES;
    for (let number = from; number < to; number += 1) {
      const base = (number % this.#capacity) * 4;
      for (let word = 0; word < 4; word += 1) at = value.writeUInt32BE(this.#ids[base + word] ?? 0, at);
    }
    return value;
  }
}

/** Reads 32 hex digits into four words. */
function parseId(id: string, words: Uint32Array): void {
  for (let word = 0; word < 4; word += 1) {
    let value = 0;
    for (let i = word * 8; i < word * 8 + 8; i += 1) {
      const code = id.charCodeAt(i);
      value = (value << 4) | (code < 58 ? code - 48 : (code | 32) - 87);
    }
    words[word] = value >>> 0;
  }
}
