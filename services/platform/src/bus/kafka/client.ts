import { type Admin, Kafka, type LogEntry, logLevel, type Producer, type RetryOptions } from 'kafkajs';
import type { Logger } from '../../log.ts';
import { type Cluster, createCluster } from './internals.ts';

export interface ClientOptions {
  /** `host:port` of some brokers; the others are found through them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly log: Logger;
}

/** Short first waits: a new coordinator answers "not yet" for some milliseconds. About five seconds in all. */
const RETRY: RetryOptions = { initialRetryTime: 10, maxRetryTime: 300, retries: 20, factor: 0.2, multiplier: 2 };
const CONNECTION_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Makes what talks to the brokers; each thing made has connections of its own and is closed by who asked for it. */
export class Client {
  readonly #kafka: Kafka;
  readonly #cluster: Parameters<typeof createCluster>[0];

  constructor(options: ClientOptions) {
    const common = {
      brokers: [...options.brokers],
      clientId: options.clientId,
      retry: RETRY,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
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
