import { AppError } from '../../errors.ts';
import type { ForeignBatch, ForeignRecord, UnreadableRecords } from '../foreign.ts';
import { arrival } from './arrival.ts';
import type { Fetched } from './fetch.ts';
import { type Fetcher, isOutOfRange } from './fetcher.ts';

/** Bytes read ahead of `take`; a fetch may go over it by one batch, however large its topic allows it. */
const AHEAD_BYTES = 2 * 1024 * 1024;
/** How long the broker holds a fetch when there is nothing; ends early when something arrives. */
const WAIT_MS = 2_000;

/** Reads one partition of a topic that is not ours ahead, as long as someone takes from it. */
export class ForeignInput {
  readonly #fetcher: Fetcher;
  readonly #topic: string;
  readonly #partition: number;
  #records: readonly ForeignRecord[] = [];
  #unreadable: readonly UnreadableRecords[] = [];
  /** How many of the records are taken, and the bytes of the others. */
  #taken = 0;
  #bytes = 0;
  /** Behind all that was fetched. */
  #next: number;
  #end: number;
  #fetching: Promise<void> | undefined;
  #failure: unknown;

  constructor(fetcher: Fetcher, topic: string, partition: number, from: number) {
    this.#fetcher = fetcher;
    this.#topic = topic;
    this.#partition = partition;
    this.#next = from;
    this.#end = from;
  }

  /** The end as far as known. */
  get end(): number {
    return this.#end;
  }

  /** @throws what a fetch failed with */
  async take(maxBytes: number, maxWaitMs: number, signal: AbortSignal): Promise<ForeignBatch> {
    const isThere = () => this.#failure !== undefined || this.#isStocked();
    await arrival(isThere, () => this.#readAhead(), maxWaitMs, signal);
    if (this.#failure !== undefined) throw this.#failure;
    const first = this.#taken;
    let bytes = 0;
    while (this.#taken < this.#records.length) {
      const size = this.#records[this.#taken]?.value?.length ?? 0;
      if (this.#taken > first && bytes + size > maxBytes) break;
      bytes += size;
      this.#taken += 1;
    }
    this.#bytes -= bytes;
    const records = this.#records.slice(first, this.#taken);
    const isAll = this.#taken === this.#records.length;
    const behind = isAll ? this.#next : (this.#records[this.#taken]?.offset ?? this.#next);
    const unreadable = this.#unreadable.filter((one) => one.last < behind);
    this.#unreadable = this.#unreadable.filter((one) => one.last >= behind);
    if (this.#bytes < AHEAD_BYTES) void this.#readAhead();
    return { records, unreadable, next: behind, end: this.#end };
  }

  #isStocked(): boolean {
    return this.#taken < this.#records.length || this.#unreadable.length > 0;
  }

  async #readAhead(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#fetching ??= this.#fetch();
    await this.#fetching;
  }

  /** Never rejects: the next `take` throws. */
  async #fetch(): Promise<void> {
    try {
      const want = { topic: this.#topic, partition: this.#partition, offset: this.#next, maxBytes: AHEAD_BYTES };
      for (const fetched of await this.#fetcher.fetch([want], WAIT_MS, true)) this.#deliver(fetched);
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#fetching = undefined;
    }
  }

  #deliver(fetched: Fetched): void {
    if (isOutOfRange(fetched)) {
      throw new AppError(
        'EYRIE_BUS_UNAVAILABLE',
        `${this.#topic}-${this.#partition} has no offset ${this.#next}: start anew, what was removed is counted then`,
        { retryable: true },
      );
    }
    this.#next = fetched.next;
    this.#end = Math.max(fetched.highWatermark, fetched.next);
    this.#records = [...this.#records.slice(this.#taken), ...fetched.records];
    this.#taken = 0;
    this.#bytes = this.#records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
    const unreadable = fetched.unreadable.map(({ first, last, error, bytes }) => ({
      first,
      last,
      bytes,
      message: error instanceof Error ? error.message : String(error),
    }));
    this.#unreadable = [...this.#unreadable, ...unreadable];
  }
}
