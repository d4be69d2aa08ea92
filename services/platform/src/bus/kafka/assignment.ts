import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Metrics } from '../../metrics.ts';
import type { Appended, Assigned, BusRecord, GroupSpec, Output, Step } from '../bus.ts';
import { lossRecord } from '../loss.ts';
import type { Client } from './client.ts';
import { asAppError } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import { Inputs } from './inputs.ts';
import type { Ownership } from './membership.ts';
import type { Names } from './names.ts';
import { type Position, readPositions } from './positions.ts';
import { checkRecords, type Sent, toSent } from './produce.ts';
import type { Reader } from './reader.ts';
import type { Followed, Standby } from './standby.ts';
import { Steps } from './steps.ts';
import { Transactor } from './transactor.ts';

export interface AssignmentHost {
  readonly client: Client;
  readonly names: Names;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly transactionTimeoutMs: number;
  partitions(topic: TopicName): number;
}

/** One partition number of a group: its fence, its positions, its inputs read ahead, its steps one after another. */
export class Assignment implements Assigned, Ownership<Assigned> {
  readonly group: string;
  readonly partition: number;
  readonly assigned: Assigned = this;
  readonly #host: AssignmentHost;
  readonly #spec: GroupSpec;
  readonly #signal: AbortSignal;
  readonly #standby: Standby | undefined;
  readonly #positions = new Map<TopicName, Position>();
  #transactor: Transactor | undefined;
  #fetcher: Fetcher | undefined;
  #inputs: Inputs | undefined;
  #followed: Followed | undefined;
  readonly #steps: Steps;

  constructor(host: AssignmentHost, spec: GroupSpec, partition: number, signal: AbortSignal, standby?: Standby) {
    this.#standby = standby;
    this.#host = host;
    this.#spec = spec;
    this.#signal = signal;
    this.group = spec.group;
    this.partition = partition;
    this.#steps = new Steps(`group ${this.group} partition ${partition}`);
  }

  async begin(): Promise<void> {
    this.#followed = this.#standby?.take(this.partition);
    const { client, names, clock, metrics, transactionTimeoutMs } = this.#host;
    const transactionalId = names.transactionalId(this.group, this.partition);
    this.#transactor = await Transactor.fence({
      client,
      names,
      clock,
      transactionalId,
      timeoutMs: transactionTimeoutMs,
    });
    const fetcher = new Fetcher(client, clock, metrics);
    this.#fetcher = fetcher;
    await fetcher.open(this.#spec.inputs.map((topic) => names.topic(topic)));
    const group = names.group(this.group);
    const asked = this.#spec.inputs.map((topic) => ({ topic, partitions: [this.partition] }));
    try {
      for (const { topic, next, note } of await readPositions(fetcher.cluster, names, group, asked)) {
        this.#positions.set(topic, { next, ...(note !== undefined && { note }) });
      }
    } catch (error) {
      throw asAppError(error, { principal: client.principal, group: ['Read', group] });
    }
    await this.#settle(fetcher);
    const from = new Map([...this.#positions].map(([topic, { next }]) => [topic, next]));
    this.#inputs = new Inputs(fetcher, names, this.partition, from);
  }

  lose(why: string): void {
    this.#steps.lose(why);
  }

  async end(): Promise<void> {
    await this.#steps.settled();
    this.#standby?.giveBack(this.partition);
    // A fetch the broker still holds ends by itself, soon after.
    void this.#fetcher?.close();
    await this.#transactor?.close();
  }

  async *restore(): AsyncGenerator<readonly [string, Buffer]> {
    const { state } = this.#spec;
    if (state === undefined) throw new TypeError(`group ${this.group} keeps no state`);
    yield* await this.#host.reader.readState(state, this.partition, '', this.#followed);
    this.#followed = undefined;
  }

  position(topic: TopicName): Position {
    const position = this.#positions.get(topic);
    if (position === undefined) throw new TypeError(`${topic} is no input of group ${this.group}`);
    return position;
  }

  async poll(options: { readonly maxBytes: number; readonly maxWaitMs: number }): Promise<readonly BusRecord[]> {
    const inputs = this.#inputs;
    if (inputs === undefined || this.#signal.aborted) return [];
    await inputs.wait(options.maxWaitMs, this.#signal);
    if (this.#signal.aborted) return [];
    const records = inputs.take(options.maxBytes);
    inputs.readAhead();
    return records;
  }

  transact(step: Step): Promise<readonly Appended[]> {
    return this.#steps.run(() => this.#transact(step));
  }

  async #transact(step: Step): Promise<readonly Appended[]> {
    const { metrics, reader } = this.#host;
    const outputs = (step.outputs ?? []).map((output) => this.#checked(output));
    const state = this.#stateOf(step);
    checkRecords([...outputs, ...state], this.#host.client.maxRecordBytes);
    for (const { topic, next } of step.positions) await this.#checkPosition(topic, next);
    const appended = await this.#commit(step.positions, state, outputs);
    reader.wrote(appended);
    metrics.count('eyrie_bus_transactions_total', { group: this.group });
    return appended.slice(0, outputs.length);
  }

  async #commit(positions: Step['positions'], state: readonly Sent[], outputs: readonly Sent[]) {
    const transactor = this.#transactor;
    if (transactor === undefined) throw new AppError('EYRIE_FENCED', 'the partition is not owned yet');
    const { partition } = this;
    const [first] = this.#positions;
    const unmoved = first === undefined ? [] : [{ topic: first[0], ...first[1] }];
    const moved = positions.length > 0 ? positions : unmoved;
    const appended = await transactor.commit(this.group, {
      positions: moved.map((position) => ({ ...position, topic: this.#host.names.topic(position.topic), partition })),
      state,
      outputs,
      check: () => this.#steps.assertLive(),
    });
    for (const { topic, next, note } of moved) {
      this.#positions.set(topic, { next, ...(note !== undefined && { note }) });
    }
    return appended;
  }

  /** Gives the group positions where it has none; what retention took from it is counted, never passed over silently. */
  async #settle(fetcher: Fetcher): Promise<void> {
    const { names, log, metrics, clock, partitions } = this.#host;
    const { group, partition } = this;
    const moved: { topic: TopicName; next: number; note?: string }[] = [];
    const losses: { topic: TopicName; next: number; start: number }[] = [];
    for (const topic of this.#spec.inputs) {
      const { start } = await fetcher.bounds(names.topic(topic), partition);
      const position = this.#positions.get(topic);
      if (position !== undefined && position.next >= start) continue;
      moved.push({ ...position, topic, next: start });
      if (position !== undefined) losses.push({ topic, next: position.next, start });
    }
    if (moved.length === 0) return;
    const outputs = losses.map((loss) =>
      toSent(lossRecord({ ...loss, group, partition }, partitions('health'), clock.now())),
    );
    this.#host.reader.wrote(await this.#commit(moved, [], outputs));
    for (const { topic, next, start } of losses) {
      metrics.count('eyrie_bus_lost_records_total', { group, topic }, start - next);
      log.error({ group, topic, partition, from: next, to: start }, 'records were removed before they were read');
    }
  }

  /** The changelog of a step: the last value of each key, once. */
  #stateOf({ state = [] }: Step): readonly Sent[] {
    if (state.length === 0) return [];
    const topic = this.#spec.state;
    if (topic === undefined) throw new TypeError(`group ${this.group} keeps no state`);
    const { partition } = this;
    return [...new Map(state)].map(([key, value]) => ({ topic, partition, key, value }));
  }

  #checked(output: Output): Sent {
    const { topic, partition } = output;
    if (partition < this.#host.partitions(topic)) return toSent(output);
    throw new RangeError(`there is no log ${topic}-${partition}`);
  }

  async #checkPosition(topic: TopicName, next: number): Promise<void> {
    this.position(topic);
    if (Number.isSafeInteger(next) && next >= 0) {
      if (next <= (this.#inputs?.end(topic) ?? 0)) return;
      const bounds = await this.#fetcher?.bounds(this.#host.names.topic(topic), this.partition);
      if (bounds !== undefined && next <= bounds.end) return;
    }
    throw new RangeError(`position ${next} lies outside ${topic}-${this.partition}`);
  }
}
