import { TOPIC_NAMES, TOPICS, type TopicSpec } from '@eyrie/schemas';
import type { Clock } from '../clock.ts';
import { isRetryable } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { PartitionLog } from './partition-log.ts';
import type { Positions } from './positions.ts';
import type { Reserve } from './reserve.ts';
import type { Writer } from './writer.ts';

export interface RetentionOptions {
  readonly intervalMs: number;
  /** Bytes a topic may hold of records every group has read; the oldest beyond go before their time. */
  readonly targetBytes: number;
}

interface RetentionParts {
  readonly logs: readonly PartitionLog[];
  readonly positions: Positions;
  readonly writer: Writer;
  readonly touched: { add(changed: PartitionLog): unknown };
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly reserve: Reserve;
  readonly options: RetentionOptions;
}

/** Records removed by one transaction: a few milliseconds of the event loop. */
const SLICE_RECORDS = 64;
const DAY_MS = 86_400_000;
/** How long a tombstone is kept for readers that are behind. */
const TOMBSTONE_MS = DAY_MS;

/**
 * Removes old records, in slices that share the writer's transactions. What a registered group has not read stays,
 * whatever its age and size: then the byte bound refuses intake instead.
 */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #stopping = new AbortController();
  #early = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = this.#loop();
  }

  /** Starts the next pass now. */
  hurry(): void {
    this.#early.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#early.abort();
    await this.#running;
  }

  async pass(): Promise<void> {
    for (const partitionLog of this.#parts.logs) {
      if (partitionLog.compacted) await this.#removeTombstones(partitionLog);
      else while ((await this.#slice(partitionLog)) && !this.#stopping.signal.aborted);
    }
    this.#report();
    this.#parts.reserve.take();
  }

  async #loop(): Promise<void> {
    const { clock, log, options } = this.#parts;
    for (;;) {
      await clock.sleep(options.intervalMs, this.#early.signal);
      if (this.#stopping.signal.aborted) return;
      this.#early = new AbortController();
      try {
        await this.pass();
      } catch (error) {
        if (!isRetryable(error)) log.error({ err: error }, 'retention failed');
        else log.warn({ err: error }, 'retention waits');
      }
    }
  }

  /** Removes one slice; true when there is more. */
  async #slice(partitionLog: PartitionLog): Promise<boolean> {
    const cut = this.#cut(partitionLog);
    if (cut <= partitionLog.start) return false;
    const until = Math.min(cut, partitionLog.start + SLICE_RECORDS);
    await this.#parts.writer.run({
      bytes: 0,
      log: false,
      state: false,
      positions: true,
      apply: () => {
        this.#parts.touched.add(partitionLog);
        partitionLog.removeBefore(until);
      },
    });
    return until < cut;
  }

  /** The first offset to keep. */
  #cut(partitionLog: PartitionLog): number {
    const { clock, options, positions } = this.#parts;
    const { retentionDays }: TopicSpec = TOPICS[partitionLog.topic];
    const oldest = retentionDays === undefined ? 0 : clock.now() - retentionDays * DAY_MS;
    const excess = partitionLog.bytes - options.targetBytes;
    const first = partitionLog.stored(partitionLog.start);
    if (first === undefined || (first.record.timestamp >= oldest && excess <= 0)) return partitionLog.start;
    const limit = Math.min(
      positions.lowest(partitionLog.topic, partitionLog.partition) ?? partitionLog.end,
      partitionLog.end - 1,
    );
    // Timestamps and running sums grow with the offset: find the first record that may stay.
    let low = partitionLog.start;
    let high = limit;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const at = partitionLog.stored(middle);
      const goes = at !== undefined && (at.record.timestamp < oldest || at.before - first.before < excess);
      if (goes) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #removeTombstones(partitionLog: PartitionLog): Promise<void> {
    const { clock, touched, writer } = this.#parts;
    const before = clock.now() - TOMBSTONE_MS;
    let from = 0;
    for (;;) {
      const records = partitionLog.read(from, 1024 * 1024);
      const last = records.at(-1);
      if (last === undefined) return;
      from = last.offset + 1;
      const dead = records.filter(({ value, timestamp }) => value.length === 0 && timestamp < before);
      if (dead.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      await writer.run({
        bytes: 0,
        log: false,
        state: false,
        positions: true,
        apply: () => {
          touched.add(partitionLog);
          for (const { offset, key } of dead) if (key !== undefined) partitionLog.removeTombstone(offset, key);
        },
      });
    }
  }

  #report(): void {
    const { logs, metrics } = this.#parts;
    for (const topic of TOPIC_NAMES) {
      const own = logs.filter((partitionLog) => partitionLog.topic === topic);
      if (own.length > 0)
        metrics.set(
          'eyrie_bus_bytes',
          { topic },
          own.reduce((sum, { bytes }) => sum + bytes, 0),
        );
    }
  }
}
