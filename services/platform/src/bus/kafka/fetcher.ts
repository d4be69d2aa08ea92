import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import { retry } from '../../retry.ts';
import type { Client } from './client.ts';
import { asAppError } from './errors.ts';
import { type Fetched, fetchCommitted, type Want } from './fetch.ts';
import { type Cluster, errorFromCode } from './internals.ts';

/** Leaders move and brokers restart: half a minute covers an election. */
const RETRY = { initialMs: 10, maximumMs: 500, deadlineMs: 30_000 };
const OFFSET_OUT_OF_RANGE = 1;
const OVERHEAD_BYTES = 64 * 1024;
const LEAST_BYTES = 4 * 1024;

type Wanted = Omit<Want, 'maxOpenedBytes'>;

/** Fetches from the leaders of partitions, over connections of its own. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #principal: string;
  /** By topic: bytes opened for one that was sent. */
  readonly #growth = new Map<string, number>();
  #closed = false;

  constructor(client: Client, clock: Clock, metrics: Metrics) {
    this.#metrics = metrics;
    this.#cluster = client.cluster();
    this.#principal = client.principal;
    this.#clock = clock;
  }

  /** For requests beside fetches. */
  get cluster(): Cluster {
    return this.#cluster;
  }

  async open(topics: readonly string[]): Promise<void> {
    await this.#repeat(['Describe', ...topics], async () => {
      await this.#cluster.connect();
      await this.#cluster.addMultipleTargetTopics(topics);
    });
  }

  /** The node that leads a partition, as far as known; -1 while none does. */
  leader(topic: string, partition: number): string {
    const found = this.#cluster.findTopicPartitionMetadata(topic).find((one) => one.partitionId === partition);
    return String(found?.leader ?? -1);
  }

  /**
   * Partitions of one leader, about `maxBytes` opened of each; those that another one leads by now are left out. What is out of range comes back with `errorCode` 1 and the
   * bounds to go on from. Batches that open to too much are passed over, so that nobody blocks a partition by what he
   * writes there; with `passesUnreadable` all that cannot be read.
   * @throws AppError EYRIE_BUS_UNAVAILABLE when the leader cannot be reached for half a minute
   */
  async fetch(wants: readonly Wanted[], maxWaitMs: number, passesUnreadable = false): Promise<readonly Fetched[]> {
    return this.#repeat(['Read', ...wants.map(({ topic }) => topic)], async () => {
      const [first] = wants;
      if (first === undefined) return [];
      await this.#cluster.refreshMetadataIfNecessary();
      const nodeId = this.leader(first.topic, first.partition);
      const broker = await this.#cluster.findBroker({ nodeId });
      const own = wants.filter(({ topic, partition }) => this.leader(topic, partition) === nodeId);
      const asked = own.map((want) => ({ ...want, maxOpenedBytes: want.maxBytes, maxBytes: this.#bytesFor(want) }));
      const maxBytes = asked.reduce((sum, want) => sum + want.maxBytes, OVERHEAD_BYTES);
      const fetched = await fetchCommitted(broker, asked, { maxWaitMs, maxBytes });
      for (const { topic, closedBytes, openedBytes } of fetched) {
        if (openedBytes > 0) this.#growth.set(topic, Math.max(1, openedBytes / closedBytes));
      }
      const failed = fetched.find(({ errorCode }) => errorCode !== 0 && errorCode !== OFFSET_OUT_OF_RANGE);
      if (failed !== undefined) throw errorFromCode(failed.errorCode);
      const unreadable = fetched.flatMap((one) => one.unreadable);
      const broken = unreadable.find(({ isTooLarge }) => !isTooLarge);
      if (broken !== undefined && !passesUnreadable) throw broken.error;
      const tooLarge = unreadable.filter(({ isTooLarge }) => isTooLarge).length;
      if (tooLarge > 0) this.#metrics.count('eyrie_bound_reached_total', { bound: 'bus_opened_batch' }, tooLarge);
      return fetched;
    });
  }

  /** First offset kept and next to be written, open steps included. */
  async bounds(topic: string, partition: number): Promise<{ readonly start: number; readonly end: number }> {
    const [start, end] = await Promise.all([this.#offset(topic, partition, true), this.end(topic, partition)]);
    return { start, end };
  }

  /**
   * The next offset to be written. A leader elected just now does not say before it knows: until then its fetches end
   * where it was told, as a follower, that the log ends, which may lie below what was read and committed before.
   */
  async end(topic: string, partition: number): Promise<number> {
    return this.#offset(topic, partition, false);
  }

  /** The ends of many partitions, by `topic/partition`, in one request to each leader. */
  async ends(
    partitions: readonly { readonly topic: string; readonly partition: number }[],
  ): Promise<ReadonlyMap<string, number>> {
    return this.#offsets(partitions, false);
  }

  async #offset(topic: string, partition: number, fromBeginning: boolean): Promise<number> {
    const offset = (await this.#offsets([{ topic, partition }], fromBeginning)).get(`${topic}/${partition}`);
    if (offset === undefined) throw new RangeError(`there is no partition ${partition} of ${topic}`);
    return offset;
  }

  #offsets(partitions: readonly { readonly topic: string; readonly partition: number }[], fromBeginning: boolean) {
    const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
    const asked = [...byTopic].map(([topic, own]) => ({
      topic,
      // The broker refuses a request that names one twice.
      partitions: [...new Set(own.map(({ partition }) => partition))].map((partition) => ({ partition })),
      fromBeginning,
    }));
    return this.#repeat(['Describe', ...byTopic.keys()], async () => {
      const found = await this.#cluster.fetchTopicsOffset(asked);
      return new Map(
        found.flatMap(({ topic, partitions: own }) =>
          own.map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const),
        ),
      );
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#cluster.disconnect().catch(() => undefined);
  }

  /** What has to be sent for what is wanted, as the topic was compressed last: no batch comes twice, or few. */
  #bytesFor({ topic, maxBytes }: Wanted): number {
    return Math.max(LEAST_BYTES, Math.ceil(maxBytes / (this.#growth.get(topic) ?? 1)));
  }

  async #repeat<T>(topic: readonly [operation: string, ...topics: string[]], task: () => Promise<T>): Promise<T> {
    return retry(this.#clock, { ...RETRY, random: Math.random }, async (attempt) => {
      try {
        if (attempt > 1 && !this.#closed) await this.#refresh();
        return await task();
      } catch (error) {
        if (this.#closed) throw new AppError('EYRIE_BUS_UNAVAILABLE', 'the reader is closed');
        throw asAppError(error, { principal: this.#principal, topic });
      }
    });
  }

  async #refresh(): Promise<void> {
    if (!this.#cluster.isConnected()) await this.#cluster.connect();
    await this.#cluster.refreshMetadata();
  }
}

export function isOutOfRange({ errorCode }: Fetched): boolean {
  return errorCode === OFFSET_OUT_OF_RANGE;
}
