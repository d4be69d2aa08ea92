import type { BusRecord } from './bus.ts';

/**
 * The newest records of a partition, as they were written. A reader that keeps up never touches the engine: that saves
 * a copy, and keeps the pages of the file out of the process's resident memory. Bounded in bytes; the oldest go first.
 */
export class Tail {
  readonly #maxBytes: number;
  #records: (BusRecord | undefined)[] = [];
  /** Bytes ever pushed before each of the records. */
  #starts: number[] = [];
  /** Index of the oldest record kept; the slots before it are cut off now and then. */
  #head = 0;
  #pushed = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(record: BusRecord): void {
    const newest = this.#records.at(-1);
    if (newest !== undefined && newest.offset + 1 !== record.offset) this.clear();
    this.#records.push(record);
    this.#starts.push(this.#pushed);
    this.#pushed += record.value.length;
    while (this.#pushed - (this.#starts[this.#head] ?? this.#pushed) > this.#maxBytes) {
      this.#records[this.#head] = undefined;
      this.#head += 1;
    }
    if (this.#head > 64 && this.#head * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#starts = this.#starts.slice(this.#head);
      this.#head = 0;
    }
  }

  get(offset: number): BusRecord | undefined {
    const oldest = this.#records[this.#head];
    if (oldest === undefined || offset < oldest.offset) return undefined;
    return this.#records[this.#head + offset - oldest.offset];
  }

  /** Bytes of the records from an offset on; all that was ever pushed where the offset is no longer kept. */
  bytesFrom(offset: number): number {
    const oldest = this.#records[this.#head];
    if (oldest === undefined || offset < oldest.offset) return this.#pushed;
    return this.#pushed - (this.#starts[this.#head + offset - oldest.offset] ?? this.#pushed);
  }

  clear(): void {
    this.#records = [];
    this.#starts = [];
    this.#head = 0;
  }
}
