import { applyCounters, decodeRecord } from './codec.ts';
import type { AlertRecord } from './record.ts';

/** What stands in the changelog of an alert nobody has asked for since the start. */
export interface Asleep {
  readonly whole: Buffer;
  readonly counters: Buffer | undefined;
}

/**
 * An alert the judge works with: open, or closed and joinable still. The handle stays, its record is replaced. After a restore
 * a record is read when its alert is asked for: most windows get no event before they close, and a million of them would
 * keep a partition waiting.
 */
export class Handle {
  #record: AlertRecord | undefined;
  #asleep: Asleep | undefined;
  /** What the next step has to write: nothing, counters, or all. */
  dirty: 'no' | 'counters' | 'all' = 'no';
  /** Targets whose counters moved since the whole record was written. */
  moved = new Set<number>();
  /** Targets and samples in the whole record as written. What came since stands beside it: `isWider` where not all of it yet. */
  wholeTargets = 0;
  wholeSamples = 0;
  isWider = false;
  hasAdded = false;
  /** Counters stand in the changelog beside the record. */
  hasCounters = false;
  /** Stands in `updates`. */
  isQueued = false;
  /** The record is known outside (a decision, a published version): growth must not change it in place. */
  isShared = true;

  constructor(held: { readonly record: AlertRecord } | { readonly asleep: Asleep }) {
    if ('record' in held) this.#record = held.record;
    else {
      this.#asleep = held.asleep;
      this.hasCounters = held.asleep.counters !== undefined;
    }
  }

  get record(): AlertRecord {
    this.#record ??= this.#wake();
    return this.#record;
  }

  set record(record: AlertRecord) {
    this.#asleep = undefined;
    this.#record = record;
  }

  #wake(): AlertRecord {
    const asleep = this.#asleep;
    if (asleep === undefined) throw new TypeError('a handle without a record');
    this.#asleep = undefined;
    const record = decodeRecord(asleep.whole);
    this.wholeTargets = record.alert.targets.length;
    this.wholeSamples = record.alert.samples.length;
    return asleep.counters === undefined ? record : applyCounters(record, asleep.counters, this.moved);
  }
}
