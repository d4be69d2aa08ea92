import type { Admin, CompressionTypes, LogEntry, Producer, RetryOptions, SASLOptions } from 'kafkajs';
import type { Logger } from '../../log.ts';
import { compressionType } from './compression.ts';
import { type Cluster, createCluster, Kafka, logLevel } from './internals.ts';
import { checkSecurity, createSocketFactory, principalOf, type Security } from './security.ts';
import type { Compression } from './settings.ts';
import { maxMessageBytes } from './topic-plan.ts';

export interface ClientOptions extends Security {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Of what is written; everything is read. */
  readonly compression?: Compression;
  /** The greatest event; records of ours are larger. */
  readonly eventBytes?: number;
  readonly log: Logger;
}

/** Costs what none costs, here and at the broker, and frames shrink to a tenth: docs/benchmarks.md. */
const COMPRESSION: Compression = 'zstd';
const BATCH_OVERHEAD = 1_024;

/** Short first waits: a new coordinator answers "not yet" for some milliseconds. About five seconds in all. */
const RETRY: RetryOptions = { initialRetryTime: 10, maxRetryTime: 300, retries: 20, factor: 0.2, multiplier: 2 };
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Makes what talks to the brokers; each thing made has connections of its own and is closed by who asked for it. */
export class Client {
  /** Who the brokers take it for. */
  readonly principal: string;
  readonly compression: CompressionTypes;
  /** A record above it fits no topic. */
  readonly maxRecordBytes: number;
  readonly #kafka: InstanceType<typeof Kafka>;
  readonly #cluster: Parameters<typeof createCluster>[0];

  /** @throws AppError EYRIE_CONFIG_INVALID for files that cannot be used */
  constructor(options: ClientOptions) {
    checkSecurity(options);
    this.principal = principalOf(options);
    this.compression = compressionType(options.compression ?? COMPRESSION);
    this.maxRecordBytes = maxMessageBytes(options.eventBytes) - BATCH_OVERHEAD;
    const common = {
      brokers: [...options.brokers],
      clientId: options.clientId,
      retry: RETRY,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      socketFactory: createSocketFactory(options),
      ...(options.sasl !== undefined && { sasl: { ...options.sasl } as SASLOptions }),
      logLevel: logLevel.WARN,
      logCreator: () => (entry: LogEntry) => pass(options.log, entry),
    };
    this.#cluster = common;
    this.#kafka = new Kafka(common);
  }

  cluster(): Cluster {
    return createCluster(this.#cluster);
  }

  admin(): Admin {
    return this.#kafka.admin();
  }

  /** Appends once however often a request is repeated. */
  producer(): Producer {
    return this.#kafka.producer({ ...PRODUCER, idempotent: true });
  }

  transactionalProducer(transactionalId: string, transactionTimeoutMs: number): Producer {
    return this.#kafka.producer({ ...PRODUCER, transactionalId, transactionTimeout: transactionTimeoutMs });
  }
}

/** Whoever writes says the partition. */
const PRODUCER = {
  allowAutoTopicCreation: false,
  maxInFlightRequests: 1,
  createPartitioner:
    () =>
    ({ message }: { readonly message: { readonly partition?: number } }) =>
      message.partition ?? 0,
};

/** What the library calls an error is mostly something it repeats by itself: what matters is thrown. */
function pass(log: Logger, { namespace, log: { message, ...details } }: LogEntry): void {
  log.debug({ namespace, details }, `kafka client: ${message}`);
}
