import type { Clock } from '../../clock.ts';
import { failpoint } from '../../failpoint.ts';
import type { Appended } from '../bus.ts';
import type { Client } from './client.ts';
import { Coordinators } from './coordinators.ts';
import { asAppError } from './errors.ts';
import type { Broker, Cluster } from './internals.ts';
import type { Names } from './names.ts';
import { encodeNote } from './positions.ts';
import { type Sent, sendAll } from './produce.ts';
import type { Needs } from './refusals.ts';
import { type Portion, SequencedWriter } from './sequenced-writer.ts';

export interface Writing {
  /** Never empty. */
  readonly positions: readonly {
    /** Kafka's name. */
    readonly topic: string;
    readonly partition: number;
    readonly next: number;
    readonly note?: string;
  }[];
  readonly state: readonly Sent[];
  readonly outputs: readonly Sent[];
  /** Asked last before the commit. @throws AppError EYRIE_FENCED */
  check(): void;
}

interface TransactorOptions {
  readonly client: Client;
  readonly names: Names;
  readonly clock: Clock;
  readonly transactionalId: string;
  readonly timeoutMs: number;
}

/** Until a partition has a leader again: an election takes seconds. */
const PATIENCE_MS = 30_000;

/**
 * The one writer of a transactional id. Made, it has fenced its predecessors: whatever they committed can be seen, and
 * nothing of theirs will be any more. After a failure it is closed and never used again: whether the last commit took
 * effect is then known only to the next fence.
 */
export class Transactor {
  readonly #options: TransactorOptions;
  readonly #cluster: Cluster;
  readonly #coordinators: Coordinators;
  readonly #writer: SequencedWriter;
  /** As it stands in every request. */
  readonly #identity: { readonly transactionalId: string; readonly producerId: string; readonly producerEpoch: number };

  /** @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID */
  static async fence(options: TransactorOptions): Promise<Transactor> {
    const { client, clock, transactionalId, timeoutMs: transactionTimeout } = options;
    const cluster = client.cluster();
    const needs = { principal: client.principal, transactionalId: ['Write', transactionalId] } as const;
    try {
      await cluster.connect();
      const coordinators = new Coordinators(cluster, clock);
      const ask = (coordinator: Broker) => coordinator.initProducerId({ transactionalId, transactionTimeout });
      const given = await coordinators.ask('transaction', transactionalId, needs, ask);
      return new Transactor(options, cluster, coordinators, given);
    } catch (error) {
      await disconnect(cluster);
      throw asAppError(error, needs);
    }
  }

  private constructor(
    options: TransactorOptions,
    cluster: Cluster,
    coordinators: Coordinators,
    { producerId, producerEpoch }: { readonly producerId: string; readonly producerEpoch: number },
  ) {
    const { client, clock, transactionalId } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#coordinators = coordinators;
    this.#identity = { transactionalId, producerId, producerEpoch };
    this.#writer = new SequencedWriter({
      cluster,
      clock,
      identity: { transactionalId, producerId: BigInt(producerId), producerEpoch },
      compression: client.compression,
      patienceMs: PATIENCE_MS,
      principal: client.principal,
    });
  }

  /** @throws AppError EYRIE_FENCED, EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID */
  async commit(group: string, writing: Writing): Promise<readonly Appended[]> {
    const { names, clock } = this.#options;
    const { state, outputs } = writing;
    let appended: readonly Appended[];
    try {
      const positions = this.#sendOffsets(names.group(group), writing.positions);
      const append: SequencedWriter['append'] = (portions, timestamp) => this.#append(portions, timestamp);
      const records = sendAll(append, names, [...outputs, ...state], clock.now());
      // Nothing is under way any more when the step is given up.
      await Promise.allSettled([positions, records]);
      await positions;
      appended = await records;
      writing.check();
    } catch (error) {
      await this.#abort();
      throw asAppError(error);
    }
    if (outputs.length > 0) failpoint('before-log-commit');
    if (state.length > 0) failpoint('before-state-commit');
    failpoint('before-position-commit');
    // An answer that was lost may be asked for again: the step has ended one way or the other, and once.
    await this.#ask((coordinator) => coordinator.endTxn({ ...this.#identity, transactionResult: true }));
    if (outputs.length > 0) failpoint('after-log-commit');
    if (state.length > 0) failpoint('after-state-commit');
    failpoint('after-position-commit');
    return appended;
  }

  async close(): Promise<void> {
    await disconnect(this.#cluster);
  }

  #ask(request: (coordinator: Broker) => Promise<unknown>, more: Omit<Needs, 'principal'> = {}): Promise<unknown> {
    const { client, transactionalId } = this.#options;
    const needs = { principal: client.principal, transactionalId: ['Write', transactionalId], ...more } as const;
    return this.#coordinators.ask('transaction', transactionalId, needs, request);
  }

  async #append(portions: readonly Portion[], timestamp: number): Promise<readonly number[]> {
    const byTopic = Map.groupBy(portions, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, own]) => ({ topic, partitions: own.map(({ partition }) => partition) }));
    const needs = { topic: ['Write', ...byTopic.keys()] } as const;
    await this.#ask((coordinator) => coordinator.addPartitionsToTxn({ ...this.#identity, topics }), needs);
    return this.#writer.append(portions, timestamp);
  }

  async #sendOffsets(groupId: string, positions: Writing['positions']): Promise<void> {
    const { principal } = this.#options.client;
    const topics = positions.map(({ topic, partition, next, note }) => ({
      topic,
      partitions: [{ partition, offset: String(next), metadata: encodeNote(note) }],
    }));
    const needs = { group: ['Read', groupId], topic: ['Read', ...topics.map(({ topic }) => topic)] } as const;
    await this.#ask((coordinator) => coordinator.addOffsetsToTxn({ ...this.#identity, groupId }), needs);
    const commit = (coordinator: Broker) => coordinator.txnOffsetCommit({ ...this.#identity, groupId, topics });
    await this.#coordinators.ask('group', groupId, { principal, ...needs }, commit);
  }

  /**
   * Best effort: the next fence ends the step too. What still lies at a broker would be appended behind the end of the step;
   * the fence refuses it, because it comes from an earlier epoch.
   */
  async #abort(): Promise<void> {
    const { transactionalId } = this.#options;
    if (!this.#writer.isSettled) return;
    await this.#coordinators
      .askOnce('transaction', transactionalId, (coordinator) =>
        coordinator.endTxn({ ...this.#identity, transactionResult: false }),
      )
      .catch(() => undefined);
  }
}

async function disconnect(cluster: Cluster): Promise<void> {
  await cluster.disconnect().catch(() => undefined);
}
