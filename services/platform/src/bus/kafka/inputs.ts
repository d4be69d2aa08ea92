import type { TopicName } from '@eyrie/schemas';
import { AppError } from '../../errors.ts';
import type { BusRecord } from '../bus.ts';
import { arrival } from './arrival.ts';
import type { Fetched } from './fetch.ts';
import { type Fetcher, isOutOfRange } from './fetcher.ts';
import { LeaderFetches } from './leader-fetches.ts';
import type { Names } from './names.ts';
import { toRecord } from './record.ts';

interface Input {
  readonly topic: TopicName;
  readonly name: string;
  /** Where the next fetch starts. */
  next: number;
  /** The end the broker told last. */
  end: number;
  records: BusRecord[];
  bytes: number;
}

/**
 * Bytes read ahead of `take` for each input; a fetch may go over it by one batch. As much as the judge takes at most: of a
 * backlog it makes large steps, in which what changes twice is written once (200 to 165 CPU s a million events).
 */
const AHEAD_BYTES = 3 * 1024 * 1024;
/** How long the broker holds a fetch when there is nothing; ends early when something arrives. */
const WAIT_MS = 2_000;

/** Reads the inputs of one partition number ahead, as long as someone takes from them: nothing is read unasked. */
export class Inputs {
  readonly #fetcher: Pick<Fetcher, 'fetch' | 'leader'>;
  readonly #partition: number;
  readonly #inputs: readonly Input[];
  readonly #fetches: LeaderFetches<Input>;
  #failure: Error | undefined;
  #turn = 0;

  constructor(
    fetcher: Pick<Fetcher, 'fetch' | 'leader'>,
    names: Names,
    partition: number,
    from: ReadonlyMap<TopicName, number>,
  ) {
    this.#fetcher = fetcher;
    this.#partition = partition;
    this.#inputs = [...from].map(([topic, next]) => ({
      topic,
      name: names.topic(topic),
      next,
      end: next,
      records: [],
      bytes: 0,
    }));
    this.#fetches = new LeaderFetches(
      ({ name }) => fetcher.leader(name, partition),
      (inputs) => this.#fetch(inputs),
    );
  }

  /** The end as far as known. */
  end(topic: TopicName): number {
    return this.#inputs.find((input) => input.topic === topic)?.end ?? 0;
  }

  /** Resolves when something can be taken, after `maxWaitMs`, or on abort. @throws what a fetch failed with */
  async wait(maxWaitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#isStocked()) return;
    const isThere = () => this.#failure !== undefined || this.#isStocked();
    const fetched = () => {
      this.readAhead();
      return this.#fetches.ended();
    };
    await arrival(isThere, fetched, maxWaitMs, signal);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * At most `maxBytes`, at least one record if there is any. Every input gets an equal share of the bytes left; what
   * one does not use passes to the next, and each is first in its turn.
   */
  take(maxBytes: number): readonly BusRecord[] {
    const taken: BusRecord[] = [];
    let left = maxBytes;
    const order = [...this.#inputs.slice(this.#turn), ...this.#inputs.slice(0, this.#turn)];
    const stocked = order.filter(({ records }) => records.length > 0);
    for (const [index, input] of stocked.entries()) {
      const share = left / (stocked.length - index);
      let used = 0;
      let count = 0;
      for (const { value } of input.records) {
        if (taken.length + count > 0 && used + value.length > share) break;
        used += value.length;
        count += 1;
      }
      taken.push(...input.records.splice(0, count));
      input.bytes -= used;
      left -= used;
    }
    this.#turn = (this.#turn + 1) % Math.max(1, this.#inputs.length);
    return taken;
  }

  /** Starts a fetch at every leader that has none, for the inputs with room. */
  readAhead(): void {
    if (this.#failure !== undefined) return;
    this.#fetches.start(this.#inputs.filter(({ bytes }) => bytes < AHEAD_BYTES));
  }

  #isStocked(): boolean {
    return this.#inputs.some(({ records }) => records.length > 0);
  }

  /** Never rejects: the next `wait` throws. */
  async #fetch(inputs: readonly Input[]): Promise<void> {
    // While something waits to be taken, the broker must not hold a fetch: its input may have room again sooner.
    const waitMs = this.#isStocked() ? 0 : WAIT_MS;
    const wants = inputs.map(({ name, next }) => ({
      topic: name,
      partition: this.#partition,
      offset: next,
      maxBytes: AHEAD_BYTES,
    }));
    try {
      for (const fetched of await this.#fetcher.fetch(wants, waitMs)) this.#deliver(inputs, fetched);
    } catch (error) {
      this.#failure = error as Error;
    }
  }

  #deliver(inputs: readonly Input[], fetched: Fetched): void {
    const input = inputs.find(({ name }) => name === fetched.topic);
    if (input === undefined) return;
    if (isOutOfRange(fetched)) {
      throw new AppError(
        'EYRIE_BUS_UNAVAILABLE',
        `${fetched.topic}-${this.#partition} has no offset ${input.next}: start anew, what was removed is counted then`,
        { retryable: true },
      );
    }
    input.next = fetched.next;
    input.end = Math.max(input.end, fetched.highWatermark);
    for (const record of fetched.records) {
      const made = toRecord(input.topic, this.#partition, record);
      input.records.push(made);
      input.bytes += made.value.length;
    }
  }
}
