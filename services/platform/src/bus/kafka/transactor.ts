import type { Producer, Transaction } from 'kafkajs';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import { retry } from '../../retry.ts';
import type { Appended } from '../bus.ts';
import type { Client } from './client.ts';
import { asAppError, errorType } from './errors.ts';
import type { Names } from './names.ts';
import { encodeNote } from './positions.ts';
import { type Sent, sendAll } from './produce.ts';

export interface Writing {
  /** Never empty: the offsets go first, because only that request may safely be repeated while the step before ends. */
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

/** The step before is being ended by the coordinator: its markers take some milliseconds. */
const ENDING = { initialMs: 4, maximumMs: 50, deadlineMs: 10_000 };

/**
 * The one writer of a transactional id. Made, it has fenced its predecessors: whatever they committed can be seen, and
 * nothing of theirs will be any more. After a failure it is closed and never used again: whether the last commit took
 * effect is then known only to the next fence.
 */
export class Transactor {
  readonly #producer: Producer;
  readonly #options: TransactorOptions;

  /** @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID */
  static async fence(options: TransactorOptions): Promise<Transactor> {
    const { client, transactionalId } = options;
    const producer = client.transactionalProducer(transactionalId, options.timeoutMs);
    try {
      await producer.connect();
      // Connecting fences nobody: the first transaction asks for the epoch.
      await (await producer.transaction()).abort();
    } catch (error) {
      await disconnect(producer);
      throw asAppError(error, { principal: client.principal, transactionalId: ['Write', transactionalId] });
    }
    return new Transactor(producer, options);
  }

  private constructor(producer: Producer, options: TransactorOptions) {
    this.#producer = producer;
    this.#options = options;
  }

  /** @throws AppError EYRIE_FENCED, EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID */
  async commit(group: string, writing: Writing): Promise<readonly Appended[]> {
    try {
      return await this.#commit(await this.#producer.transaction(), group, writing);
    } catch (error) {
      throw asAppError(error);
    }
  }

  async close(): Promise<void> {
    await disconnect(this.#producer);
  }

  async #commit(transaction: Transaction, group: string, writing: Writing): Promise<readonly Appended[]> {
    const { names } = this.#options;
    const { state, outputs } = writing;
    let appended: readonly Appended[];
    try {
      await this.#sendOffsets(transaction, names.group(group), writing.positions);
      appended = await this.#send(transaction, [...outputs, ...state]);
      writing.check();
    } catch (error) {
      // Best effort: the next fence ends it too.
      await transaction.abort().catch(() => undefined);
      throw error;
    }
    if (outputs.length > 0) failpoint('before-log-commit');
    if (state.length > 0) failpoint('before-state-commit');
    failpoint('before-position-commit');
    await transaction.commit();
    if (outputs.length > 0) failpoint('after-log-commit');
    if (state.length > 0) failpoint('after-state-commit');
    failpoint('after-position-commit');
    return appended;
  }

  async #send(transaction: Transaction, sent: readonly Sent[]): Promise<readonly Appended[]> {
    const { client, names, clock } = this.#options;
    try {
      return await sendAll(transaction, names, sent, { timestamp: clock.now(), compression: client.compression });
    } catch (error) {
      const topics = new Set(sent.map(({ topic }) => names.topic(topic)));
      throw asAppError(error, { principal: client.principal, topic: ['Write', ...topics] });
    }
  }

  async #sendOffsets(transaction: Transaction, groupId: string, positions: Writing['positions']): Promise<void> {
    const { client, clock } = this.#options;
    const topics = positions.map(({ topic, partition, next, note }) => ({
      topic,
      partitions: [{ partition, offset: String(next), metadata: encodeNote(note) }],
    }));
    await retry(clock, { ...ENDING, random: Math.random }, async () => {
      try {
        await transaction.sendOffsets({ consumerGroupId: groupId, topics });
      } catch (error) {
        if (errorType(error) !== 'CONCURRENT_TRANSACTIONS') {
          const topic = ['Read', ...topics.map((one) => one.topic)] as const;
          throw asAppError(error, { principal: client.principal, group: ['Read', groupId], topic });
        }
        throw new AppError('EYRIE_BUS_UNAVAILABLE', 'the step before is still ending', {
          retryable: true,
          cause: error,
        });
      }
    });
  }
}

async function disconnect(producer: Producer): Promise<void> {
  await producer.disconnect().catch(() => undefined);
}
