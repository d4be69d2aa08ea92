import { AppError } from '../../errors.ts';
import type { ForeignSpec } from '../foreign.ts';
import type { AssignmentHost } from './assignment.ts';
import { asAppError } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import { settleStart } from './foreign-start.ts';

/** Partitions of one topic: how many there are, each with a position, and whether there are more by now. */
export class ForeignPartitions {
  readonly #host: AssignmentHost;
  readonly #spec: ForeignSpec;
  readonly #begun: Set<string>;
  readonly #fetcher: Fetcher;
  readonly #timer: NodeJS.Timeout;
  #isOpen = false;
  #isLooking = false;
  #settled = 0;
  #seen = 0;

  /** @param begun groups that have read in the life of this process */
  constructor(host: AssignmentHost, spec: ForeignSpec, begun: Set<string>, everyMs: number) {
    this.#begun = begun;
    this.#host = host;
    this.#spec = spec;
    this.#fetcher = new Fetcher(host.client, host.clock, host.metrics);
    this.#timer = setInterval(() => void this.#look(), everyMs).unref();
  }

  /** To be asked before each join. @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID, EYRIE_FENCED */
  async settle(): Promise<number> {
    if (!this.#isOpen) await this.#fetcher.open([this.#spec.topic]);
    this.#isOpen = true;
    const count = await this.#count();
    if (count === 0) throw new AppError('EYRIE_BUS_UNAVAILABLE', `Kafka has no topic ${this.#spec.topic}`);
    if (count !== this.#settled) {
      // A topic made anew has no positions, and its first record has not been read.
      const start = this.#begun.has(this.#spec.group) ? 'earliest' : this.#spec.start;
      await settleStart(this.#host, this.#fetcher, { ...this.#spec, start }, count);
    }
    this.#begun.add(this.#spec.group);
    this.#settled = count;
    this.#seen = count;
    return count;
  }

  hasGrown(): boolean {
    return this.#seen > this.#settled;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#fetcher.close();
  }

  async #look(): Promise<void> {
    if (!this.#isOpen || this.#isLooking) return;
    this.#isLooking = true;
    try {
      this.#seen = await this.#count();
    } catch (error) {
      this.#host.log.debug({ err: error, topic: this.#spec.topic }, 'partitions could not be counted');
    } finally {
      this.#isLooking = false;
    }
  }

  async #count(): Promise<number> {
    try {
      const { cluster } = this.#fetcher;
      if (!cluster.isConnected()) await cluster.connect();
      await cluster.refreshMetadata();
      return cluster.findTopicPartitionMetadata(this.#spec.topic).length;
    } catch (error) {
      throw asAppError(error, { principal: this.#host.client.principal, topic: ['Describe', this.#spec.topic] });
    }
  }
}
