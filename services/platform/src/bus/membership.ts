import type { TopicName } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import type { Appended, Assigned, BusRecord, GroupSpec, Membership, Output, Step } from './bus.ts';
import type { Flow, Reader } from './flow.ts';
import { groupPartitions } from './group-partitions.ts';

/** What an assignment needs of the log. */
export interface Host {
  partitions(topic: TopicName): number;
  end(topic: TopicName, partition: number): number;
  read(topic: TopicName, partition: number, from: number, maxBytes: number): readonly BusRecord[];
  /** Bytes from an offset to the end, roughly: enough to tell a reader that keeps up from one that does not. */
  unread(topic: TopicName, partition: number, from: number): number;
  readonly flow: Flow;
  wait(inputs: readonly TopicName[], partition: number, maxWaitMs: number, signal: AbortSignal): Promise<void>;
  /** Registers positions where the group has none, and puts those below the log's start onto it, counted as loss. */
  settle(group: string, inputs: readonly TopicName[], partition: number): Promise<void>;
  position(group: string, topic: TopicName, partition: number): { readonly next: number; readonly note?: string };
  restore(topic: TopicName, partition: number): AsyncIterable<readonly [string, Buffer]>;
  commit(owner: Owner, spec: GroupSpec, step: Step): Promise<readonly Appended[]>;
}

/** Who commits; asked again inside the transaction, because a step may wait there while its run ends. */
export interface Owner {
  readonly group: string;
  readonly partition: number;
  /** @throws AppError EYRIE_FENCED */
  assertLive(): void;
}

type Run = (assigned: Assigned, signal: AbortSignal) => Promise<void>;

/** Owners of a group's partitions follow one another: a second member waits until the first has left. */
export class Memberships {
  readonly #host: Host;
  readonly #owners = new Map<string, Promise<void>>();
  readonly #members = new Set<{ readonly group: string; readonly membership: Membership }>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** True while someone reads for the group, or waits to. */
  active(group: string): boolean {
    return [...this.#members].some((member) => member.group === group);
  }

  join(spec: GroupSpec, run: Run): Membership {
    const partitions = groupPartitions(spec, (topic) => this.#host.partitions(topic));
    const leaving = new AbortController();
    const before = this.#owners.get(spec.group) ?? Promise.resolve();
    let isMember = false;
    const done = before.then(() => {
      isMember = true;
      return this.#runAll(spec, partitions, run, leaving);
    });
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    this.#owners.set(spec.group, settled);
    const membership: Membership = {
      partitions: () => (isMember ? Array.from({ length: partitions }, (_, number) => number) : undefined),
      done,
      leave: () => {
        leaving.abort();
        return settled;
      },
    };
    const member = { group: spec.group, membership };
    this.#members.add(member);
    void settled.then(() => {
      this.#members.delete(member);
      if (this.#owners.get(spec.group) === settled) this.#owners.delete(spec.group);
    });
    return membership;
  }

  async leaveAll(): Promise<void> {
    await Promise.all([...this.#members].map(({ membership }) => membership.leave()));
  }

  async #runAll(spec: GroupSpec, partitions: number, run: Run, leaving: AbortController): Promise<void> {
    const failures: unknown[] = [];
    const runs = Array.from({ length: partitions }, async (_, partition) => {
      if (leaving.signal.aborted) return;
      const assignment = new Assignment(this.#host, spec, partition, leaving.signal);
      try {
        await this.#host.settle(spec.group, spec.inputs, partition);
        assignment.begin();
        await run(assignment, leaving.signal);
      } catch (error) {
        failures.push(error);
        leaving.abort();
      } finally {
        assignment.end();
      }
    });
    await Promise.all(runs);
    if (failures.length > 0) throw failures[0];
  }
}

class Assignment implements Assigned, Owner, Reader {
  readonly group: string;
  readonly partition: number;
  readonly #host: Host;
  readonly #spec: GroupSpec;
  readonly #signal: AbortSignal;
  readonly #cursors = new Map<TopicName, number>();
  /** The input that is served first next time: fair among inputs that both have plenty. */
  #turn = 0;
  #lost: string | undefined;
  #polled = false;
  /** Where its steps have written what is handed on in memory. */
  readonly #writes = new Map<string, readonly [TopicName, number]>();

  constructor(host: Host, spec: GroupSpec, partition: number, signal: AbortSignal) {
    this.#host = host;
    this.#spec = spec;
    this.#signal = signal;
    this.group = spec.group;
    this.partition = partition;
  }

  begin(): void {
    for (const topic of this.#spec.inputs) {
      this.#cursors.set(topic, this.position(topic).next);
      this.#host.flow.add(this, topic, this.partition);
    }
  }

  end(): void {
    for (const topic of this.#spec.inputs) this.#host.flow.remove(this, topic, this.partition);
    this.#lost ??= 'its run has ended';
  }

  assertLive(): void {
    if (this.#lost === undefined) return;
    throw new AppError('EYRIE_FENCED', `group ${this.group} partition ${this.partition}: ${this.#lost}`);
  }

  restore(): AsyncIterable<readonly [string, Buffer]> {
    const { state } = this.#spec;
    if (state === undefined) throw new TypeError(`group ${this.group} keeps no state`);
    return this.#host.restore(state, this.partition);
  }

  position(topic: TopicName): { readonly next: number; readonly note?: string } {
    return this.#host.position(this.group, topic, this.partition);
  }

  async poll(options: { readonly maxBytes: number; readonly maxWaitMs: number }): Promise<readonly BusRecord[]> {
    if (this.#signal.aborted) return [];
    // A run that only polls must not keep timers and sockets waiting.
    if (this.#polled) await new Promise((resolve) => setImmediate(resolve));
    if (this.#writes.size > 0) {
      await this.#host.flow.hold(this.#writes.values(), this.#signal);
      if (this.#signal.aborted) return [];
    }
    const records = this.#take(options.maxBytes);
    this.#polled = records.length > 0;
    if (records.length > 0) return records;
    await this.#host.wait(this.#spec.inputs, this.partition, options.maxWaitMs, this.#signal);
    return this.#signal.aborted ? [] : this.#take(options.maxBytes);
  }

  async transact(step: Step): Promise<readonly Appended[]> {
    this.#polled = false;
    this.assertLive();
    this.#note(step.outputs ?? []);
    try {
      return await this.#host.commit(this, this.#spec, step);
    } catch (error) {
      this.#lost = 'an earlier step failed; start anew from the committed state';
      throw error;
    }
  }

  next(topic: TopicName): number {
    return this.#cursors.get(topic) ?? 0;
  }

  unread(topic: TopicName, partition: number): number {
    return this.#host.unread(topic, partition, this.next(topic));
  }

  #note(outputs: readonly Output[]): void {
    for (const { topic, partition, made } of outputs) {
      // What nobody is handed on needs no waiting: a dead letter, a word of health.
      if (made === undefined) continue;
      const name = `${topic}/${partition}`;
      if (!this.#writes.has(name)) this.#writes.set(name, [topic, partition]);
    }
  }

  /** Every input gets an equal share of the bytes left; what one does not use passes to the next. */
  #take(maxBytes: number): readonly BusRecord[] {
    const { inputs } = this.#spec;
    const records: BusRecord[] = [];
    let left = maxBytes;
    for (let i = 0; i < inputs.length; i += 1) {
      const topic = inputs[(this.#turn + i) % inputs.length];
      const from = topic === undefined ? undefined : this.#cursors.get(topic);
      if (topic === undefined || from === undefined || this.#host.end(topic, this.partition) <= from) continue;
      if (records.length > 0 && left <= 0) break;
      const share = records.length === 0 ? Math.floor(left / (inputs.length - i)) : left / (inputs.length - i);
      const part = this.#host.read(topic, this.partition, from, share);
      const fits: BusRecord[] = [];
      for (const record of part) {
        if (records.length + fits.length > 0 && record.value.length > left) break;
        left -= record.value.length;
        fits.push(record);
      }
      const last = fits.at(-1);
      if (last !== undefined) {
        this.#cursors.set(topic, last.offset + 1);
        this.#host.flow.moved(topic, this.partition);
      }
      records.push(...fits);
    }
    this.#turn = (this.#turn + 1) % Math.max(1, inputs.length);
    return records;
  }
}
