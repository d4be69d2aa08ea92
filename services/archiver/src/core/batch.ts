import type { BusRange, TableBatch } from './ranges.ts';
import { RowBinaryWriter } from './row-binary.ts';
import { TABLES, type TableName } from './tables.ts';

/** Rows on their way into one table. */
export class TableRows {
  readonly writer = new RowBinaryWriter(64 * 1024);
  rowCount = 0;
}

/**
 * Rows of many tables, made of records of one partition number, cut at record boundaries.
 * Used again after its insert: the buffers stay.
 */
export class Batch {
  readonly #tables = new Map<TableName, TableRows>();
  readonly #ranges = new Map<string, BusRange>();
  /** Milliseconds: when the heartbeats among its events were received. They make no rows. */
  readonly heartbeats: number[] = [];
  /** Milliseconds: when its first record came. */
  startedAt = 0;

  table(name: TableName): TableRows {
    let rows = this.#tables.get(name);
    if (rows === undefined) {
      rows = new TableRows();
      this.#tables.set(name, rows);
    }
    return rows;
  }

  /** Writes a record's rows whole or not at all. */
  add(record: { readonly topic: BusRange['topic']; readonly offset: number }, write: () => void, now: number): void {
    const range = this.#ranges.get(record.topic);
    if (this.#ranges.size === 0) this.startedAt = now;
    this.#ranges.set(record.topic, {
      topic: record.topic,
      min: range?.min ?? record.offset,
      max: record.offset,
    });
    const marks = [...this.#tables].map(([name, rows]) => [name, rows.writer.bytes, rows.rowCount] as const);
    try {
      write();
    } catch (error) {
      for (const [name, rows] of this.#tables) {
        const mark = marks.find(([marked]) => marked === name);
        rows.writer.rewind(mark?.[1] ?? 0);
        rows.rowCount = mark?.[2] ?? 0;
      }
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.#ranges.size === 0;
  }

  get rowCount(): number {
    let count = 0;
    for (const { rowCount } of this.#tables.values()) count += rowCount;
    return count;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { writer } of this.#tables.values()) bytes += writer.bytes;
    return bytes;
  }

  /** First and last offset of each topic in it. */
  ranges(): readonly BusRange[] {
    return [...this.#ranges.values()];
  }

  /**
   * What to insert, empty tables left out. Counts of repeats go before their events: where those are found stored, the
   * counts, which have no name to be found by, are stored too.
   */
  inserts(): readonly TableBatch[] {
    const inserts: TableBatch[] = [];
    const isCounts = ([name]: readonly [TableName, TableRows]) => Number(name === 'duplicates');
    for (const [name, { writer, rowCount }] of [...this.#tables].sort((a, b) => isCounts(b) - isCounts(a))) {
      const { topic, columns } = TABLES[name];
      const range = this.#ranges.get(topic);
      if (rowCount === 0 || range === undefined) continue;
      inserts.push({ table: name, columns, rows: writer.view(), rowCount, range });
    }
    return inserts;
  }

  reset(): void {
    this.#ranges.clear();
    this.heartbeats.length = 0;
    for (const rows of this.#tables.values()) {
      rows.writer.rewind(0);
      rows.rowCount = 0;
    }
  }
}
