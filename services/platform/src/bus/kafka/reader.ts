import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { Appended, BusRecord } from '../bus.ts';
import type { FetchedRecord } from './batches.ts';
import { type Fetcher, isOutOfRange } from './fetcher.ts';
import { KnownStates } from './known-states.ts';
import type { Names } from './names.ts';
import { toRecord } from './record.ts';
import type { Followed } from './standby.ts';

/** The markers of a step follow its commit by some milliseconds; a step of somebody else may hold them back. */
const VISIBLE_MS = 5_000;
const VISIBLE_STEP_MS = 2;
/** A leader elected just now knows the end of its log when those who follow it have asked it once. */
const LEADER_MS = 30_000;
const LEADER_STEP_MS = 20;
const STATE_BYTES = 4 * 1024 * 1024;

interface ReaderParts {
  readonly fetcher: Pick<Fetcher, 'fetch' | 'bounds' | 'end'>;
  readonly names: Names;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Reads partitions outside a group. What this process wrote is there to read once its call has resolved. */
export class Reader {
  readonly #fetcher: ReaderParts['fetcher'];
  readonly #names: Names;
  readonly #clock: Clock;
  readonly #known: KnownStates;
  /** By partition: the offset behind the last record this process wrote. */
  readonly #written = new Map<string, number>();

  constructor({ fetcher, names, clock, metrics }: ReaderParts) {
    this.#fetcher = fetcher;
    this.#names = names;
    this.#clock = clock;
    this.#known = new KnownStates(metrics);
  }

  /** To be told of everything written, after it was acknowledged. */
  wrote(appended: readonly Appended[]): void {
    for (const { topic, partition, offset } of appended) {
      const channel = `${topic}/${partition}`;
      this.#written.set(channel, Math.max(this.#written.get(channel) ?? 0, offset + 1));
    }
  }

  async read(topic: TopicName, partition: number, from: number, maxBytes: number): Promise<readonly BusRecord[]> {
    const askEnd = () => this.#fetcher.end(this.#names.topic(topic), partition);
    const { records } = await this.#readOn(topic, partition, from, maxBytes, askEnd);
    let left = maxBytes;
    let count = 0;
    for (const { value } of records) {
      left -= value?.length ?? 0;
      if (count > 0 && left < 0) break;
      count += 1;
    }
    return records.slice(0, count).map((record) => toRecord(topic, partition, record));
  }

  /**
   * The last value of each key up to the end there is now. What a prefix gave is read on from where it stood, and so is
   * `followed`, whose map becomes the answer.
   */
  async readState(
    topic: TopicName,
    partition: number,
    prefix: string,
    followed?: Followed,
  ): Promise<ReadonlyMap<string, Buffer>> {
    const { start, end } = await this.#fetcher.bounds(this.#names.topic(topic), partition);
    const found = followed ?? this.#known.take(topic, partition, prefix, this.#clock.now());
    // Beyond the end it was another topic under the same name.
    const known = found !== undefined && found.next <= end ? found : undefined;
    const state = known?.state ?? new Map<string, Buffer>();
    let at = known?.next ?? start;
    while (at < end) {
      const { records, next } = await this.#readOn(topic, partition, at, STATE_BYTES, async () => end);
      for (const { key: bytes, value } of records) {
        const key = bytes?.toString('utf8') ?? '';
        if (!key.startsWith(prefix)) continue;
        if (value === null) state.delete(key);
        else state.set(key, value);
      }
      // An open step hides the rest: it is not committed.
      if (next === at) break;
      at = next;
    }
    if (prefix === '') return state;
    this.#known.put(topic, partition, prefix, { state, next: at, at: this.#clock.now() });
    return new Map(state);
  }

  /** Resolves when everything this process wrote can be read by others, after some seconds at most. */
  async settled(): Promise<void> {
    await Promise.all(
      [...this.#written].map(async ([channel, end]) => {
        const [topic, partition] = channel.split('/') as [TopicName, string];
        await this.#readOn(topic, Number(partition), end - 1, 1).catch((error) => {
          // Who may write and not read finds nobody's records, his own neither.
          if (!(error instanceof AppError) || error.code !== 'EYRIE_CONFIG_INVALID') throw error;
        });
      }),
    );
  }

  /**
   * The next records there are, and where to go on; none, when there are none up to the end. Without `askEnd` the end is
   * where the leader thinks it is, which is good enough for who asks again.
   * @throws AppError EYRIE_BUS_UNAVAILABLE (retryable) when the leader does not know its log for half a minute
   */
  async #readOn(
    topic: TopicName,
    partition: number,
    from: number,
    maxBytes: number,
    askEnd: () => Promise<number> = async () => 0,
  ): Promise<{ readonly records: readonly FetchedRecord[]; readonly next: number }> {
    const name = this.#names.topic(topic);
    const startedAt = this.#clock.now();
    const isBefore = (ms: number) => this.#clock.now() < startedAt + ms;
    let at = from;
    let end: number | undefined;
    for (;;) {
      const [fetched] = await this.#fetcher.fetch([{ topic: name, partition, offset: at, maxBytes }], 0);
      if (fetched === undefined) return { records: [], next: at };
      if (isOutOfRange(fetched)) {
        const { start } = await this.#fetcher.bounds(name, partition);
        if (at >= start) return { records: [], next: at };
        at = start;
      } else if (fetched.records.length > 0) {
        return { records: fetched.records, next: fetched.next };
      } else if (fetched.next > at) at = fetched.next;
      else if (at < (this.#written.get(`${topic}/${partition}`) ?? 0) && isBefore(VISIBLE_MS)) {
        await this.#clock.sleep(VISIBLE_STEP_MS);
      } else {
        end ??= await askEnd();
        if (fetched.highWatermark >= end) return { records: [], next: at };
        if (!isBefore(LEADER_MS)) {
          const why = `Kafka: the leader of ${name}-${partition} shows ${fetched.highWatermark} of ${end} offsets`;
          throw new AppError('EYRIE_BUS_UNAVAILABLE', why, { retryable: true });
        }
        await this.#clock.sleep(LEADER_STEP_MS);
      }
    }
  }
}
