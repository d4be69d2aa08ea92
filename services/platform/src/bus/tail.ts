import type { BusRecord } from './bus.ts';

/**
 * The newest records of a partition, as they were written. A reader that keeps up never touches the engine: that saves
 * a copy, and keeps the pages of the file out of the process's resident memory. Bounded in bytes; the oldest go first.
 */
export class Tail {
  readonly #maxBytes: number;
  #records: BusRecord[] = [];
  /** Index in `#records` of the oldest one kept; the slots before it are cut off now and then. */
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(record: BusRecord): void {
    const newest = this.#records.at(-1);
    if (newest !== undefined && newest.offset + 1 !== record.offset) this.clear();
    this.#records.push(record);
    this.#bytes += record.value.length;
    while (this.#bytes > this.#maxBytes && this.#head < this.#records.length) {
      this.#bytes -= this.#records[this.#head]?.value.length ?? 0;
      this.#head += 1;
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
  }

  get(offset: number): BusRecord | undefined {
    const oldest = this.#records[this.#head];
    if (oldest === undefined || offset < oldest.offset) return undefined;
    return this.#records[this.#head + offset - oldest.offset];
  }

  clear(): void {
    this.#records = [];
    this.#head = 0;
    this.#bytes = 0;
  }
}
