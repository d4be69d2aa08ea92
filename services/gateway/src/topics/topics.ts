import type { Bus } from '@eyrie/platform/bus/bus';
import type { ForeignAssigned, ForeignBatch, ForeignRecord } from '@eyrie/platform/bus/foreign';
import { type KeptGroup, keepMember } from '@eyrie/platform/bus/keep-joined';
import type { Clock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Vitals } from '@eyrie/platform/vitals';
import { encodeRawFrame, FrameWriter, inputGroup, type RawMeta, type RawSection, type TenantId } from '@eyrie/schemas';
import type { InputEntry } from '@eyrie/schemas/inputs';
import { groupSections } from '../core/pack.ts';
import type { Quotas } from '../core/quota.ts';
import { topicSections } from '../core/topic-sections.ts';
import { partitionFor } from '../partition.ts';
import type { Refusals } from '../refusals.ts';
import { refuseMissing } from './inputs-file.ts';
import { Lag } from './lag.ts';
import { createPace, type Pace } from './pace.ts';
import { UNREADABLE, unreadableOutputs } from './unreadable.ts';

interface Dependencies {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly vitals?: Vitals;
  readonly quotas: Quotas;
  readonly refusals: Refusals;
  /** Told of what no new start can mend. */
  readonly onFailure: (error: unknown) => void;
}

/** Bytes of records of one step: some frames. */
const STEP_BYTES = 2 * 1024 * 1024;
const WAIT_MS = 1_000;
/** A tenant that has used up its share of the disk waits in its topic. */
const QUOTA_MS = 5_000;
/** Shippers carry lines of a log; the others send events only, so text is refused. */
const LOGS: ReadonlySet<InputEntry['format']> = new Set(['fluentbit', 'vector']);

/** Topics of others in, lines of `raw` out: each record once, whatever dies in between. */
export function createInputs(deps: Dependencies, inputs: readonly InputEntry[], eventBytes: number): Component {
  const { bus } = deps;
  const pace = createPace(deps);
  let kept: readonly KeptGroup[] = [];
  return {
    name: 'inputs',
    start: async () => {
      if (inputs.length === 0) return;
      const { foreign } = bus;
      if (foreign === undefined) {
        throw new AppError('EYRIE_CONFIG_INVALID', 'EYRIE_INPUTS_FILE needs EYRIE_BUS=kafka: inputs are topics there');
      }
      refuseMissing(inputs, await foreign.missing(inputs.map(({ topic }) => topic)));
      kept = inputs.map((input) => {
        const group = inputGroup(input.topic);
        const reader = new TopicReader({ ...deps, pace }, input, group, eventBytes);
        return keepMember<ForeignAssigned>(deps, {
          group,
          join: (run) => foreign.join({ group, topic: input.topic, start: input.start }, run),
          run: (assigned, signal, ready) => reader.run(assigned, signal, ready),
          isFatal: (error) => error instanceof AppError && error.code === 'EYRIE_CONFIG_INVALID',
          onFatal: deps.onFailure,
        });
      });
    },
    stop: async () => {
      await Promise.all(kept.map((one) => one.stop()));
    },
  };
}

interface ReaderDependencies extends Dependencies {
  readonly pace: Pace;
}

class TopicReader {
  readonly #deps: ReaderDependencies;
  readonly #input: InputEntry;
  readonly #eventBytes: number;
  readonly #tenant: TenantId;
  readonly #lag: Lag;
  readonly #writer = new FrameWriter('raw');

  constructor(deps: ReaderDependencies, input: InputEntry, group: string, eventBytes: number) {
    this.#deps = deps;
    this.#input = input;
    this.#eventBytes = eventBytes;
    this.#tenant = input.tenant as TenantId;
    this.#lag = new Lag(deps.metrics, { group, topic: input.topic });
  }

  async run(assigned: ForeignAssigned, signal: AbortSignal, ready: () => void): Promise<void> {
    const { clock, metrics, quotas, pace } = this.#deps;
    const to = this.#partition(assigned);
    ready();
    try {
      while (!signal.aborted) {
        if (!quotas.mayStore(this.#tenant, clock.now())) {
          metrics.count('eyrie_bound_reached_total', { bound: 'tenant_bytes_per_day' });
          await clock.sleep(QUOTA_MS, signal);
          continue;
        }
        const batch = await assigned.poll({ maxBytes: STEP_BYTES, maxWaitMs: WAIT_MS });
        if (batch.records.length > 0 || batch.unreadable.length > 0) await this.#step(assigned, batch, to);
        this.#noteLag(assigned.partition, batch);
        if (batch.end > batch.next) await pace.wait(to, signal);
      }
    } finally {
      this.#lag.forget(assigned.partition);
    }
  }

  /** Lines of one partition stay in order; the partitions of a topic share the work. */
  #partition({ topic, partition }: ForeignAssigned): number {
    const { tenant, cluster } = this.#input;
    return partitionFor(`${tenant}/${cluster}/${topic}/${partition}`, this.#deps.bus.partitions('raw'));
  }

  async #step(assigned: ForeignAssigned, batch: ForeignBatch, to: number): Promise<void> {
    const { bus, clock, metrics } = this.#deps;
    const { topic } = assigned;
    const now = clock.now();
    const sections = this.#sections(assigned, batch.records, now);
    const frames = groupSections(sections).map((group) => ({
      topic: 'raw' as const,
      partition: to,
      value: encodeRawFrame(group, this.#writer),
    }));
    const aside = batch.unreadable.flatMap((one) => unreadableOutputs(bus, assigned, this.#input, one, now));
    await assigned.transact({ next: batch.next, outputs: [...frames, ...aside] });
    metrics.count('eyrie_input_records_total', { topic, result: 'stored' }, batch.records.length);
    for (const { first, last } of batch.unreadable) {
      metrics.count('eyrie_input_records_total', { topic, result: 'unreadable' }, last - first + 1);
      metrics.count('eyrie_dead_letters_total', UNREADABLE);
    }
    this.#noteStored(sections);
  }

  #sections(from: ForeignAssigned, records: readonly ForeignRecord[], now: number): readonly RawSection[] {
    const { cluster, cluster_field, cluster_header: name, format } = this.#input;
    const { topic, partition } = from;
    const meta = {
      tenant: this.#tenant,
      cluster: cluster as RawMeta['cluster'],
      ...(cluster_field !== undefined && { cluster_field }),
      received_at: now,
      origin: LOGS.has(format) ? ('file' as const) : ('topic' as const),
      ...(this.#deps.quotas.isOver(this.#tenant, now) && { over_quota: true as const }),
    };
    const named = records.map(({ offset, value, headers }) => ({
      offset,
      value,
      header: name === undefined ? undefined : textOf(headers[name]),
    }));
    return topicSections(named, meta, { topic, partition }, this.#eventBytes);
  }

  #noteStored(sections: readonly RawSection[]): void {
    const { clock, quotas, refusals } = this.#deps;
    const lines = sections.reduce((sum, { meta }) => sum + meta.lines, 0);
    const bytes = sections.reduce((sum, { block }) => sum + block.length, 0);
    if (!quotas.note(this.#tenant, lines, bytes, clock.now())) return;
    refusals.noteOverQuota({ tenant: this.#tenant, cluster: this.#input.cluster as RawMeta['cluster'] }, lines);
  }

  #noteLag(partition: number, { records, next, end }: ForeignBatch): void {
    const last = records.at(-1);
    const waited = last === undefined ? 0 : (this.#deps.clock.now() - last.timestamp) / 1_000;
    this.#lag.note(partition, end - next, waited);
  }
}

/** Of a header that is there several times the last one counts, as for everybody who adds one. */
function textOf(header: ForeignRecord['headers'][string]): string | undefined {
  const last = Array.isArray(header) ? header.at(-1) : header;
  return last === undefined ? undefined : String(last);
}
