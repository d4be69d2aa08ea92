import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import type { Metrics } from '../../metrics.ts';
import { retry } from '../../retry.ts';
import type { Appended } from '../bus.ts';
import type { Client } from './client.ts';
import { asAppError, closedError } from './errors.ts';
import type { Cluster } from './internals.ts';
import type { Names } from './names.ts';
import { checkRecords, type Sent, sendAll } from './produce.ts';
import { refresh, SequencedWriter } from './sequenced-writer.ts';

interface Queued {
  readonly sent: readonly Sent[];
  readonly bytes: number;
  readonly resolve: (appended: readonly Appended[]) => void;
  readonly reject: (error: Error) => void;
}

/** Bytes sent together, and bytes that may wait. */
const TURN_BYTES = 4 * 1024 * 1024;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Until a partition has a leader again; who posted waits meanwhile. */
const PATIENCE_MS = 5_000;
const RETRY = { initialMs: 20, maximumMs: 500 } as const;

/**
 * Appends without input positions. One request is in flight; what arrives meanwhile shares the next one, so that the
 * order of calls is the order of offsets. A call over several partitions is not atomic: an error means unknown.
 */
export class Appender {
  readonly #options: {
    readonly client: Client;
    readonly names: Names;
    readonly clock: Clock;
    readonly metrics: Metrics;
  };
  #writing: { readonly cluster: Cluster; readonly writer: SequencedWriter } | undefined;
  #queue: Queued[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: { client: Client; names: Names; clock: Clock; metrics: Metrics }) {
    this.#options = options;
  }

  /** @throws AppError EYRIE_BUS_FULL, EYRIE_BUS_UNAVAILABLE; RangeError for a record that is too large */
  async append(sent: readonly Sent[]): Promise<readonly Appended[]> {
    if (this.#closed) throw closedError();
    const bytes = checkRecords(sent, this.#options.client.maxRecordBytes);
    if (sent.length === 0) return [];
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#options.metrics.count('eyrie_bound_reached_total', { bound: 'bus_bytes' });
      throw new AppError('EYRIE_BUS_FULL', `${this.#waitingBytes} bytes wait for Kafka`, { retryable: true });
    }
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#queue.push({ sent, bytes, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Sends what waits, then refuses. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#discard();
  }

  async #run(): Promise<void> {
    // What is appended in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const turn = this.#take();
      try {
        const appended = await this.#send(turn.flatMap(({ sent }) => sent));
        let at = 0;
        for (const { sent, resolve } of turn) {
          resolve(appended.slice(at, at + sent.length));
          at += sent.length;
        }
      } catch (error) {
        // Its sequence numbers are in doubt.
        await this.#discard();
        for (const { reject } of turn) reject(asAppError(error));
      }
    }
    this.#running = undefined;
  }

  async #send(sent: readonly Sent[]): Promise<readonly Appended[]> {
    const { names, clock } = this.#options;
    this.#writing ??= await this.#introduce(new Set(sent.map(({ topic }) => names.topic(topic))));
    const { writer } = this.#writing;
    failpoint('before-log-commit');
    const append = writer.append.bind(writer);
    const appended = await sendAll(append, names, sent, clock.now());
    failpoint('after-log-commit');
    return appended;
  }

  /** As a producer whose repeats the brokers know; one that has just started gives no identity yet. */
  async #introduce(topics: ReadonlySet<string>) {
    const { client, clock } = this.#options;
    const { principal, compression } = client;
    const cluster = client.cluster();
    try {
      const given = await retry(clock, { ...RETRY, deadlineMs: PATIENCE_MS, random: Math.random }, async () => {
        try {
          await refresh(cluster);
          const broker = await cluster.findControllerBroker();
          return await broker.initProducerId({ transactionalId: undefined, transactionTimeout: 0 });
        } catch (error) {
          throw asAppError(error, { principal, topic: ['Write', ...topics] });
        }
      });
      const identity = { producerId: BigInt(given.producerId), producerEpoch: given.producerEpoch };
      const options = { cluster, clock, identity, compression, patienceMs: PATIENCE_MS, principal };
      return { cluster, writer: new SequencedWriter(options) };
    } catch (error) {
      await cluster.disconnect().catch(() => undefined);
      throw error;
    }
  }

  #take(): readonly Queued[] {
    let bytes = 0;
    let count = 0;
    for (const queued of this.#queue) {
      if (count > 0 && bytes + queued.bytes > TURN_BYTES) break;
      bytes += queued.bytes;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #discard(): Promise<void> {
    const writing = this.#writing;
    this.#writing = undefined;
    await writing?.cluster.disconnect().catch(() => undefined);
  }
}
