import type { Assigned, Bus, BusRecord, Output, Step } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import { failpoint } from '@eyrie/platform/failpoint';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { type RetryOptions, retry } from '@eyrie/platform/retry';
import type { Signer } from '@eyrie/platform/sign';
import type { Store } from '@eyrie/platform/store/store';
import type { TopicName } from '@eyrie/schemas';
import { Batch } from './core/batch.ts';
import { encodeNote } from './core/note.ts';
import { type BusRange, insertToken } from './core/ranges.ts';
import { takeRecord } from './core/take.ts';
import { BadSignature, deadLetterOf, isTrusted } from './dead-letter.ts';
import { Overlap } from './overlap.ts';

export interface SinkDeps {
  readonly bus: Bus;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Checks records of signed topics; without it they are taken as they are. */
  readonly signer?: Signer;
}

export interface SinkOptions {
  /** A batch is inserted at this many rows … */
  readonly maxRows: number;
  /** … or bytes of rows … */
  readonly maxBytes: number;
  /** … or at this age, milliseconds, once no other insert is under way and the last one began `spacingMs` ago. */
  readonly maxAgeMs: number;
  /** Milliseconds from insert to insert while rows keep coming: what an insert costs is shared by more rows. */
  readonly spacingMs: number;
  /** Bytes of records taken at a time: between two reads other work of the process gets its turn. */
  readonly pollBytes: number;
  /** While true, age does not count: whatever is there goes once nothing more is to be had. */
  readonly isUrgent: () => boolean;
}

const POLL_WAIT_MS = 100;
/** While rows wait to be inserted: short, so that their age is looked at. */
const POLL_WAIT_FILLING_MS = 20;
/** After a read of fewer bytes the next one waits. */
const THIN_BYTES = 128 * 1024;
const PACE_MS = 50;
/**
 * A batch that fills this fast, in rows a second, is part of a flood: it may wait longer, until it is full. An insert
 * costs some 30 milliseconds a part besides its rows. 1,000 events a second with an alert version each stay below.
 */
const FLOOD_RATE = 2_500;
const FLOOD_SPACINGS = 6;
const RETRY = { initialMs: 100, maximumMs: 5_000 } as const;

/** A batch whose insert is under way, and what to commit after it. */
interface Running {
  readonly batch: Batch;
  readonly inserted: Promise<void>;
  readonly deadLetters: readonly Output[];
}

/**
 * Carries one partition number into ClickHouse. Bounds are noted before the insert and positions move after it: a crash
 * between them repeats the very same insert, and its token drops it. While one batch is being inserted the next is
 * collected; one step commits the first and notes the second.
 */
export async function runSink(
  deps: SinkDeps,
  assigned: Assigned,
  inputs: readonly TopicName[],
  options: SinkOptions,
  signal: AbortSignal,
): Promise<void> {
  const { bus, clock, log, metrics, store } = deps;
  const { partition } = assigned;
  const spare = [new Batch(), new Batch()];
  const next = new Map(inputs.map((topic) => [topic, assigned.position(topic).next]));
  let running: Running | undefined;
  let begunAt = Number.NEGATIVE_INFINITY;

  /** Goes on as long as the store may come back. */
  const patiently = <T>(task: () => Promise<T>, onRetry?: RetryOptions['onRetry']) =>
    retry(
      clock,
      {
        ...RETRY,
        deadlineMs: Number.POSITIVE_INFINITY,
        signal,
        random: Math.random,
        ...(onRetry !== undefined && { onRetry }),
      },
      task,
    );
  const overlap = await Overlap.find({ bus, store, log, metrics, patiently }, assigned, inputs);

  /** @param noted bounds that name a repeat, whatever is left of the records between them */
  async function insertAll(batch: Batch, noted?: (topic: TopicName) => BusRange | undefined): Promise<void> {
    begunAt = clock.now();
    failpoint('before-clickhouse-insert');
    for (const { table, columns, rows, rowCount, range } of batch.inserts()) {
      const named = noted?.(range.topic) ?? range;
      const token = insertToken(bus.logIdentity(range.topic, partition), table, partition, named);
      await patiently(
        () => store.insert({ table, columns, rows, rowCount, token }),
        (error, attempt) => {
          metrics.count('eyrie_store_retries_total', {});
          if (attempt === 1) log.warn({ err: error, table, token }, 'insert failed, repeating it with the same token');
        },
      );
    }
    failpoint('after-clickhouse-insert');
  }

  function take(batch: Batch, record: BusRecord, deadLetters: Output[]): void {
    const logIdentity = bus.logIdentity(record.topic, partition);
    try {
      const write = () => {
        if (!isTrusted(deps.signer, record)) throw new BadSignature();
        takeRecord(batch, { ...record, logIdentity }, overlap.storedOf(record));
      };
      batch.add(record, write, clock.now());
    } catch (error) {
      const letter = deadLetterOf(bus, record, error);
      log.error({ err: error, topic: record.topic, partition, offset: record.offset }, 'record set aside');
      metrics.count('eyrie_dead_letters_total', { stage: 'archiver', reason: letter.reason });
      if (record.topic !== 'dead-letter') deadLetters.push(letter.output);
    }
  }

  /** Commits what was inserted and notes what comes next, in one step. */
  async function commit(done: Running | undefined, noted: readonly BusRange[]): Promise<void> {
    for (const { topic, max } of done?.batch.ranges() ?? []) next.set(topic, max + 1);
    const touched = new Set([...(done?.batch.ranges() ?? []), ...noted].map(({ topic }) => topic));
    const positions: Step['positions'] = [...touched].map((topic) => {
      const range = noted.find((candidate) => candidate.topic === topic);
      const at = next.get(topic) ?? 0;
      return { topic, next: at, note: encodeNote(overlap.note(topic, at, range)) };
    });
    if (done !== undefined) failpoint('before-position-commit');
    await assigned.transact({ positions, outputs: done?.deadLetters ?? [] });
    if (done !== undefined) {
      failpoint('after-position-commit');
      for (const receivedAt of done.batch.heartbeats) {
        metrics.observe('eyrie_path_seconds', {}, (clock.now() - receivedAt) / 1_000);
      }
      done.batch.reset();
      spare.push(done.batch);
    }
  }

  /** Waits for the insert under way, if there is one. */
  async function finish(current: Running | undefined): Promise<Running | undefined> {
    await current?.inserted;
    return current;
  }

  /** Reads again what an insert held whose end is not known. */
  async function reread(): Promise<{ batch: Batch; deadLetters: Output[] } | undefined> {
    const batch = spare.pop() ?? new Batch();
    const deadLetters: Output[] = [];
    for (const topic of inputs) {
      const bounds = overlap.range(topic);
      if (bounds === undefined) continue;
      for (let from = bounds.min; from <= bounds.max; ) {
        const records = await bus.read(topic, partition, from, { maxBytes: options.pollBytes });
        if (records.length === 0) break;
        await overlap.look(records);
        for (const record of records) {
          from = record.offset + 1;
          if (record.offset <= bounds.max) take(batch, record, deadLetters);
        }
      }
      log.info({ ...bounds, partition }, 'repeating an insert whose end is not known');
    }
    if (!batch.isEmpty) return { batch, deadLetters };
    spare.push(batch);
    return undefined;
  }

  /** Lone rows go fast, rows of a steady stream together, rows of a flood in large batches. */
  function isRipe(batch: Batch): boolean {
    const now = clock.now();
    const age = now - batch.startedAt;
    if (age < options.maxAgeMs || now - begunAt < options.spacingMs) return false;
    return age >= options.spacingMs * FLOOD_SPACINGS || batch.rowCount * 1_000 < age * FLOOD_RATE;
  }

  /** Records until the batch is full, or ripe while nothing else is being inserted; perhaps none. */
  async function collect(batch: Batch, deadLetters: Output[], skip: ReadonlyMap<TopicName, number>): Promise<void> {
    let isInserting = running !== undefined;
    void running?.inserted.then(
      () => (isInserting = false),
      () => (isInserting = false),
    );
    let isDry = false;
    while (!signal.aborted) {
      if (batch.rowCount >= options.maxRows || batch.bytes >= options.maxBytes) return;
      if (!isInserting && !batch.isEmpty && (isRipe(batch) || (isDry && options.isUrgent()))) return;
      const records = await assigned.poll({
        maxBytes: options.pollBytes,
        maxWaitMs: batch.isEmpty ? POLL_WAIT_MS : POLL_WAIT_FILLING_MS,
      });
      await overlap.look(records);
      for (const record of records) {
        if (record.offset > (skip.get(record.topic) ?? -1)) take(batch, record, deadLetters);
      }
      isDry = records.length === 0;
      if (isDry && batch.isEmpty && !isInserting) return;
      // Rows wait to go together anyway: of a thin stream fewer and larger reads take the same.
      const isThin = records.length > 0 && records.reduce((sum, { value }) => sum + value.length, 0) < THIN_BYTES;
      if (isThin && !options.isUrgent()) await clock.sleep(PACE_MS, signal);
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  try {
    const skip = new Map<TopicName, number>();
    const again = await reread();
    if (again !== undefined) {
      for (const { topic, max } of again.batch.ranges()) skip.set(topic, max);
      running = { ...again, inserted: insertAll(again.batch, (topic) => overlap.range(topic)) };
      running.inserted.catch(() => undefined);
    }
    while (!signal.aborted) {
      const batch = spare.pop() ?? new Batch();
      const deadLetters: Output[] = [];
      await collect(batch, deadLetters, skip);
      const done = await finish(running);
      running = undefined;
      // On the way out nothing new is begun: what was collected is read again by the next owner.
      if (batch.isEmpty || signal.aborted) {
        batch.reset();
        spare.push(batch);
        if (done !== undefined) await commit(done, []);
        continue;
      }
      await commit(done, batch.ranges());
      running = { batch, deadLetters, inserted: insertAll(batch) };
      // Awaited above; a failure meanwhile must not count as unhandled.
      running.inserted.catch(() => undefined);
    }
    if (running !== undefined) await commit(await finish(running), []);
  } finally {
    // Whoever comes next may repeat the insert under way: ClickHouse knows its token only once this one has ended.
    await running?.inserted.catch(() => undefined);
  }
}
