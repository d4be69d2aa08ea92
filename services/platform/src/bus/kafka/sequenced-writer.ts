import type { CompressionTypes as CompressionType } from 'kafkajs';
import type { Clock } from '../../clock.ts';
import { AppError, isRetryable } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { asAppError, errorType } from './errors.ts';
import { type Cluster, errorFromCode } from './internals.ts';
import { type Part, produce } from './produce-request.ts';
import { type Batch, encodeBatch } from './record-batch.ts';

/** Whom the brokers know a writer as: they take each sequence number of his once. */
export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly transactionalId?: string;
}

export interface Portion {
  /** Kafka's name. */
  readonly topic: string;
  readonly partition: number;
  readonly records: Batch['records'];
}

interface Options {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly identity: ProducerIdentity;
  readonly compression: CompressionType;
  /** Milliseconds until what has no leader, or whose leader does not answer, is given up. */
  readonly patienceMs: number;
  readonly principal: string;
}

interface Pending extends Part {
  baseOffset?: number;
}

const RETRY = { initialMs: 10, maximumMs: 500 } as const;
/** The broker lacks what came before: no repeat will bring it. */
const FINAL = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'DUPLICATE_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID']);
/** Sequence numbers have 31 bits and begin anew. */
const SEQUENCES = 2 ** 31;

/**
 * Appends to many partitions, to each record once, however often leaders move and connections break: a repeat carries the
 * numbers it had, goes to whoever leads the partition now, and only once all that was under way is over. (The library
 * repeats what other leaders have taken already, under new numbers.)
 */
export class SequencedWriter {
  readonly #options: Options;
  readonly #next = new Map<string, number>();
  #isSettled = true;

  constructor(options: Options) {
    this.#options = options;
  }

  /** False once a request may still lie at a broker, unanswered. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /**
   * One portion a partition; @returns the offset of the first record of each. After an error it is unknown which are
   * there, and nothing more may be written by this writer.
   * @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_FENCED, EYRIE_CONFIG_INVALID
   */
  async append(portions: readonly Portion[], timestamp: number): Promise<readonly number[]> {
    const { cluster, clock, patienceMs } = this.#options;
    const parts: Pending[] = await Promise.all(portions.map((portion) => this.#number(portion, timestamp)));
    const topics = [...new Set(portions.map(({ topic }) => topic))];
    let final: Error | undefined;
    this.#isSettled = false;
    await retry(clock, { ...RETRY, deadlineMs: patienceMs, random: Math.random }, async (attempt) => {
      try {
        if (attempt > 1) await refresh(cluster);
        await cluster.addMultipleTargetTopics(topics);
        await cluster.refreshMetadataIfNecessary();
        await this.#send(parts.filter(({ baseOffset }) => baseOffset === undefined));
      } catch (error) {
        const found = asAppError(error, { principal: this.#options.principal, topic: ['Write', ...topics] });
        if (!FINAL.has(errorType(error))) throw found;
        final = found;
      }
    });
    if (final !== undefined) throw final;
    this.#isSettled = true;
    return parts.map(({ baseOffset }) => baseOffset ?? Number.NaN);
  }

  async #number({ topic, partition, records }: Portion, timestamp: number): Promise<Pending> {
    const { compression, identity } = this.#options;
    const place = `${topic}/${partition}`;
    const sequence = this.#next.get(place) ?? 0;
    this.#next.set(place, (sequence + records.length) % SEQUENCES);
    const { producerId, producerEpoch, transactionalId } = identity;
    const isTransactional = transactionalId !== undefined;
    const batch = { records, timestamp, producerId, producerEpoch, sequence, isTransactional, compression };
    return { topic, partition, batch: await encodeBatch(batch) };
  }

  /** Once to each leader; resolves when all parts are there. @throws when everything under way is over */
  async #send(parts: readonly Pending[]): Promise<void> {
    const { cluster } = this.#options;
    const byLeader = Map.groupBy(parts, (part) => leaderOf(cluster, part));
    const sent = await Promise.allSettled([...byLeader].map(([leader, own]) => this.#sendTo(leader, own)));
    const errors = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    // What will not pass by itself comes first.
    const worst = errors.find((error) => FINAL.has(errorType(error)) || !isRetryable(asAppError(error))) ?? errors[0];
    if (worst !== undefined) throw worst;
  }

  async #sendTo(leader: number, parts: readonly Pending[]): Promise<void> {
    const { cluster, identity } = this.#options;
    const broker = await cluster.findBroker({ nodeId: String(leader) });
    const answers = await produce(broker, identity.transactionalId, parts);
    let failed: number | undefined;
    for (const { topic, partition, errorCode, baseOffset } of answers) {
      const part = parts.find((one) => one.topic === topic && one.partition === partition);
      if (errorCode === 0 && part !== undefined) part.baseOffset = baseOffset;
      else failed ??= errorCode;
    }
    if (failed !== undefined) throw errorFromCode(failed);
    const missing = parts.find(({ baseOffset }) => baseOffset === undefined);
    if (missing !== undefined) throw new Error(`no answer for ${missing.topic}-${missing.partition}`);
  }
}

function leaderOf(cluster: Cluster, { topic, partition }: Part): number {
  const found = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
  if (found !== undefined && found.leader >= 0) return found.leader;
  throw new AppError('EYRIE_BUS_UNAVAILABLE', `Kafka: ${topic}-${partition} has no leader`, { retryable: true });
}

/** Asks again who leads what, over connections that stand. */
export async function refresh(cluster: Cluster): Promise<void> {
  if (!cluster.isConnected()) await cluster.connect();
  await cluster.refreshMetadata();
}
