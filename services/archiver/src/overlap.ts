import type { Assigned, Bus, BusRecord } from '@eyrie/platform/bus/bus';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Store } from '@eyrie/platform/store/store';
import type { TopicName } from '@eyrie/schemas';
import { decodeNote, type Note } from './core/note.ts';
import type { BusRange } from './core/ranges.ts';
import { type NamedTable, nameRows, StoredRows } from './core/stored-rows.ts';
import { findStored, hasRows } from './find-stored.ts';

const NAMED: Readonly<Partial<Record<TopicName, readonly NamedTable[]>>> = {
  judged: ['events'],
  alerts: ['alert_versions'],
  actions: ['action_versions'],
  documents: ['documents'],
  health: ['health_records'],
};

export interface OverlapDeps {
  readonly bus: Bus;
  readonly store: Pick<Store, 'query'>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Repeats what the store could not answer. */
  readonly patiently: <T>(task: () => Promise<T>) => Promise<T>;
}

/**
 * Where a log is new to the archiver (a topic made again, a directory restored from a backup, positions that expired) and
 * rows are there, its tokens are new too, and what it holds may be stored already: up to the end found at the first look,
 * rows are asked for by name and not stored again. What comes later is new, whatever it is called.
 */
export class Overlap {
  readonly #deps: OverlapDeps;
  readonly #partition: number;
  readonly #logs = new Map<TopicName, string>();
  readonly #until = new Map<TopicName, number>();
  readonly #ranges = new Map<TopicName, BusRange>();
  readonly #stored = new Map<TopicName, StoredRows>();

  private constructor(deps: OverlapDeps, partition: number) {
    this.#deps = deps;
    this.#partition = partition;
  }

  static async find(deps: OverlapDeps, assigned: Assigned, inputs: readonly TopicName[]): Promise<Overlap> {
    const overlap = new Overlap(deps, assigned.partition);
    for (const topic of inputs) await overlap.#meet(topic, assigned.position(topic));
    return overlap;
  }

  async #meet(topic: TopicName, { next, note: text }: { next: number; note?: string }): Promise<void> {
    const { bus, store, log, patiently } = this.#deps;
    const identity = bus.logIdentity(topic, this.#partition);
    const note = decodeNote(topic, text);
    this.#logs.set(topic, identity);
    const isKnown = note.log === identity || (note.log === undefined && note.range !== undefined);
    if (isKnown && note.range !== undefined) this.#ranges.set(topic, note.range);
    let { until } = isKnown ? note : {};
    const tables = NAMED[topic];
    if (!isKnown && tables !== undefined) {
      const { end } = await bus.bounds(topic, this.#partition);
      if (end > next && (await patiently(() => hasRows(store, tables)))) {
        until = end;
        log.warn(
          { topic, partition: this.#partition, next, end },
          'this log is new to the tables, which hold rows: what it holds now is stored where it is not there yet',
        );
      }
    }
    if (until === undefined || until <= next) return;
    this.#until.set(topic, until);
    this.#stored.set(topic, new StoredRows());
  }

  /** Records whose insert may be under way. */
  range(topic: TopicName): BusRange | undefined {
    return this.#ranges.get(topic);
  }

  /** What is noted beside a position. */
  note(topic: TopicName, next: number, range?: BusRange): Note {
    const log = this.#logs.get(topic);
    const until = this.#until.get(topic);
    if (until !== undefined && next >= until) this.#end(topic);
    return {
      ...(log !== undefined && { log }),
      ...(range !== undefined && { range }),
      ...(until !== undefined && next < until && { until }),
    };
  }

  #end(topic: TopicName): void {
    const stored = this.#stored.get(topic);
    if (stored !== undefined) this.#count(stored);
    this.#deps.log.info({ topic, partition: this.#partition }, 'from here on this log is new');
    this.#until.delete(topic);
    this.#stored.delete(topic);
  }

  #count(stored: StoredRows): void {
    for (const [table, rows] of stored.takeSkipped()) {
      this.#deps.metrics.count('eyrie_store_rows_skipped_total', { table }, rows);
    }
  }

  /** To be awaited before these records are taken. */
  async look(records: readonly BusRecord[]): Promise<void> {
    for (const [topic, stored] of this.#stored) {
      const own = records.filter((record) => record.topic === topic && this.#isBelow(record));
      if (own.length === 0) continue;
      this.#count(stored);
      const logIdentity = this.#logs.get(topic) ?? '';
      const names = own.flatMap((record) => nameRows({ ...record, logIdentity }));
      stored.know(await this.#deps.patiently(() => findStored(this.#deps.store, names)));
    }
  }

  /** For a record that was looked for. */
  storedOf(record: BusRecord): StoredRows | undefined {
    return this.#isBelow(record) ? this.#stored.get(record.topic) : undefined;
  }

  #isBelow({ topic, offset }: BusRecord): boolean {
    return offset < (this.#until.get(topic) ?? 0);
  }
}
