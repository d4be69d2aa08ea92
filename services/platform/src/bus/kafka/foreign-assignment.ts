import { AppError } from '../../errors.ts';
import type { Appended } from '../bus.ts';
import type { ForeignAssigned, ForeignBatch, ForeignSpec } from '../foreign.ts';
import { lossRecord } from '../loss.ts';
import type { AssignmentHost } from './assignment.ts';
import { asAppError } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import { ForeignInput } from './foreign-input.ts';
import type { Ownership } from './membership.ts';
import { readOffsets } from './positions.ts';
import { checkRecords, toSent } from './produce.ts';
import { Steps } from './steps.ts';
import { Transactor } from './transactor.ts';

/**
 * An open step keeps readers of `raw` waiting, those of other inputs too: one whose process died is given up soon. A step
 * takes milliseconds.
 */
const TRANSACTION_TIMEOUT_MS = 15_000;

type Step = Parameters<ForeignAssigned['transact']>[0];

/** One partition of a topic that is not ours: its fence, its position, its steps one after another. */
export class ForeignAssignment implements ForeignAssigned, Ownership<ForeignAssigned> {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly assigned: ForeignAssigned = this;
  readonly #host: AssignmentHost;
  readonly #signal: AbortSignal;
  #next = 0;
  #transactor: Transactor | undefined;
  #fetcher: Fetcher | undefined;
  #input: ForeignInput | undefined;
  readonly #steps: Steps;

  constructor(host: AssignmentHost, { group, topic }: ForeignSpec, partition: number, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
    this.group = group;
    this.topic = topic;
    this.partition = partition;
    this.#steps = new Steps(`group ${this.group} partition ${partition}`);
  }

  async begin(): Promise<void> {
    const { client, names, clock, metrics, transactionTimeoutMs } = this.#host;
    const transactionalId = names.transactionalId(this.group, this.partition);
    const timeoutMs = Math.min(transactionTimeoutMs, TRANSACTION_TIMEOUT_MS);
    this.#transactor = await Transactor.fence({ client, names, clock, transactionalId, timeoutMs });
    const fetcher = new Fetcher(client, clock, metrics);
    this.#fetcher = fetcher;
    await fetcher.open([this.topic]);
    this.#next = await this.#readPosition(fetcher);
    await this.#settle(fetcher);
    this.#input = new ForeignInput(fetcher, this.topic, this.partition, this.#next);
  }

  lose(why: string): void {
    this.#steps.lose(why);
  }

  async end(): Promise<void> {
    await this.#steps.settled();
    // A fetch the broker still holds ends by itself, soon after.
    void this.#fetcher?.close();
    await this.#transactor?.close();
  }

  async poll(options: { readonly maxBytes: number; readonly maxWaitMs: number }): Promise<ForeignBatch> {
    const input = this.#input;
    const nothing = { records: [], unreadable: [], next: this.#next, end: input?.end ?? this.#next };
    if (input === undefined || this.#signal.aborted) return nothing;
    return input.take(options.maxBytes, options.maxWaitMs, this.#signal);
  }

  transact(step: Step): Promise<readonly Appended[]> {
    return this.#steps.run(() => this.#transact(step));
  }

  async #transact({ next, outputs }: Step): Promise<readonly Appended[]> {
    const { metrics, partitions } = this.#host;
    for (const { topic, partition } of outputs) {
      if (partition >= partitions(topic)) throw new RangeError(`there is no log ${topic}-${partition}`);
    }
    if (next < this.#next || next > (this.#input?.end ?? 0)) {
      throw new RangeError(`position ${next} lies outside ${this.topic}-${this.partition}`);
    }
    const appended = await this.#commit(next, outputs);
    metrics.count('eyrie_bus_transactions_total', { group: this.group });
    return appended;
  }

  async #commit(next: number, outputs: Step['outputs']): Promise<readonly Appended[]> {
    const transactor = this.#transactor;
    if (transactor === undefined) throw new AppError('EYRIE_FENCED', 'the partition is not owned yet');
    const { topic, partition } = this;
    const sent = outputs.map(toSent);
    checkRecords(sent, this.#host.client.maxRecordBytes);
    const appended = await transactor.commit(this.group, {
      positions: [{ topic, partition, next }],
      state: [],
      outputs: sent,
      check: () => this.#steps.assertLive(),
    });
    this.#next = next;
    this.#host.reader.wrote(appended);
    return appended;
  }

  async #readPosition(fetcher: Fetcher): Promise<number> {
    const { client, names } = this.#host;
    const group = names.group(this.group);
    try {
      const asked = [{ topic: this.topic, partitions: [this.partition] }];
      const [found] = await readOffsets(fetcher.cluster, group, asked);
      if (found !== undefined) return found.next;
    } catch (error) {
      throw asAppError(error, { principal: client.principal, group: ['Read', group], topic: ['Describe', this.topic] });
    }
    const message = `${this.topic}-${this.partition} was made anew: its start is to be settled first`;
    throw new AppError('EYRIE_BUS_UNAVAILABLE', message, { retryable: true });
  }

  /** What was removed before it was read is counted as loss; so is a log that went back behind what was read. */
  async #settle(fetcher: Fetcher): Promise<void> {
    const { log, metrics, clock, partitions } = this.#host;
    const { group, topic, partition } = this;
    const from = this.#next;
    const { start, end } = await fetcher.bounds(topic, partition);
    if (from >= start && from <= end) return;
    const to = from < start ? start : end;
    const lost = { group, topic, partition, next: from, start: to };
    await this.#commit(to, [lossRecord(lost, partitions('health'), clock.now())]);
    metrics.count('eyrie_bus_lost_records_total', { group, topic }, Math.max(0, to - from));
    const message = from < start ? 'records were removed before they were read' : 'the log ends before what was read';
    log.error({ group, topic, partition, from, to }, message);
  }
}
