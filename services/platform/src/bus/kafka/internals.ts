/**
 * The parts of kafkajs below its consumer: brokers, their metadata and the decoders. Its consumer tells nobody of a
 * rebalance before it happens, beats only between batches, and reads no partition outside a group; the adapter needs
 * all three. The version is pinned, and these names are known to this file only.
 */
import { createRequire } from 'node:module';
import { crc32c as checksumOf } from '@node-rs/crc32';
import type { ISocketFactory, logCreator, RetryOptions, SASLOptions } from 'kafkajs';

const load = createRequire(import.meta.url);

/**
 * The checksum of every batch sent, in place of the library's loop over single bytes, which took half the time of sending
 * a frame. It has to stand before anything else of the library is loaded.
 */
const CHECKSUM = load.resolve('kafkajs/src/protocol/recordBatch/crc32C');
load(CHECKSUM);
const checksum = load.cache[CHECKSUM];
if (checksum !== undefined) checksum.exports = (bytes: Buffer) => checksumOf(bytes);

export const crc32c: (bytes: Buffer) => number = checksumOf;

const kafkajs = load('kafkajs') as typeof import('kafkajs');
export const { AssignerProtocol, CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

export interface GroupMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

export interface Broker {
  readonly connectionPool: {
    send(request: unknown): Promise<unknown>;
    /** Connects where it is not; two calls at once would make two connections and lose one. */
    getConnection(index: number): Promise<unknown>;
  };
  disconnect(): Promise<void>;
  joinGroup(request: {
    readonly groupId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly memberId: string;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<{ generationId: number; leaderId: string; memberId: string; members: readonly GroupMember[] }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  initProducerId(request: {
    readonly transactionalId: string | undefined;
    readonly transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(
    request: InTransaction & { readonly topics: readonly { topic: string; partitions: readonly number[] }[] },
  ): Promise<unknown>;
  addOffsetsToTxn(request: InTransaction & { readonly groupId: string }): Promise<unknown>;
  txnOffsetCommit(
    request: InTransaction & {
      readonly groupId: string;
      readonly topics: readonly {
        topic: string;
        partitions: readonly { partition: number; offset: string; metadata: string }[];
      }[];
    },
  ): Promise<unknown>;
  /** `transactionResult` true commits. */
  endTxn(request: InTransaction & { readonly transactionResult: boolean }): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: readonly { readonly topic: string; readonly partitions: readonly { partition: number }[] }[];
  }): Promise<{
    responses: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
}

/** Who writes, in every request of a transaction. */
interface InTransaction {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  isConnected(): boolean;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findBroker(options: { nodeId: string }): Promise<Broker>;
  /** Any broker, in a cluster without ZooKeeper. */
  findControllerBroker(): Promise<Broker>;
  findGroupCoordinator(options: { groupId: string; coordinatorType?: number }): Promise<Broker>;
  findTopicPartitionMetadata(topic: string): readonly { partitionId: number; leader: number }[];
  fetchTopicsOffset(
    topics: readonly { topic: string; partitions: readonly { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[]>;
}

interface ClusterOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly logger: unknown;
  readonly socketFactory: ISocketFactory;
  readonly sasl?: SASLOptions;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly isolationLevel: number;
  readonly retry: RetryOptions;
}

/** Reads the protocol's types one after another. */
export interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(size: number): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  readArrayAsync<T>(read: (decoder: Decoder) => Promise<T>): Promise<T[]>;
  canReadBytes(size: number): boolean;
}

export interface RecordBatch {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
  readonly records: readonly {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
  }[];
}

export interface FetchRequest {
  readonly replicaId: number;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly fetchOffset: string;
      readonly maxBytes: number;
    }[];
  }[];
}

const ClusterClass = load('kafkajs/src/cluster') as new (options: ClusterOptions) => Cluster;
const loggers = load('kafkajs/src/loggers') as { createLogger(options: object): unknown };

export const DecoderClass = load('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => Decoder;
/** @throws an error named KafkaJSPartialMessageError where the batch is cut off */
export const decodeRecordBatch = load('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: Decoder,
) => Promise<RecordBatch>;
/** Fetch version 11: every broker since 2.3. */
export const encodeFetch = load('kafkajs/src/protocol/requests/fetch/v11/request') as (
  request: FetchRequest,
) => unknown;
export const errorFromCode = (load('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error })
  .createErrorFromCode;

/** Its queue of requests looks again after a negative time, with a warning, when there is nothing to look for. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
const { prototype: queue } = load('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const lookAgain = queue.scheduleCheckPendingRequests;
queue.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) lookAgain.call(this);
};

/** Asks one broker after the other and forgets why each failed: a refusal has to come through, it names what to do. */
interface BrokerPool {
  withBroker<T>(ask: (one: unknown) => Promise<T>): Promise<T | null>;
}
const { prototype: pool } = load('kafkajs/src/cluster/brokerPool') as { prototype: BrokerPool };
const askBrokers = pool.withBroker;
pool.withBroker = async function <T>(this: BrokerPool, ask: (one: unknown) => Promise<T>): Promise<T | null> {
  let refusal: unknown;
  const answer = await askBrokers.call(this, async (one) => {
    try {
      return await ask(one);
    } catch (error) {
      const { type } = error as { readonly type?: unknown };
      if (typeof type === 'string' && type.endsWith('AUTHORIZATION_FAILED')) refusal = error;
      throw error;
    }
  });
  if (answer === null && refusal !== undefined) throw refusal;
  return answer as T | null;
};

/** Connections of their own to the brokers: one for fetches, which wait there, and one for everything else. */
export function createCluster(
  options: Omit<ClusterOptions, 'logger' | keyof typeof FIXED> & {
    readonly logCreator: logCreator;
    readonly logLevel: number;
  },
): Cluster {
  const { logCreator, logLevel, ...rest } = options;
  return new ClusterClass({
    ...rest,
    logger: loggers.createLogger({ level: logLevel, logCreator }),
    ...FIXED,
  });
}

const FIXED = {
  enforceRequestTimeout: true,
  metadataMaxAge: 300_000,
  allowAutoTopicCreation: false,
  isolationLevel: 0,
};
