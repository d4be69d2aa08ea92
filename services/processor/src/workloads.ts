import type { BusRecord } from '@eyrie/platform/bus/bus';
import type { Logger } from '@eyrie/platform/log';
import type { Metrics } from '@eyrie/platform/metrics';
import { FORMATS, type Identity, isWorkloadSnapshot, type WorkloadSnapshot } from '@eyrie/schemas';
import { WorkloadIndex } from './core/join/workload-index.ts';
import { entitiesOf, type Subject } from './core/judge/judge.ts';

/** Names under which alerts may wait, as the inventory speaks of them. Emptied by its reader. */
export interface News {
  readonly names: string[];
  /** More came than are held: every name that is waited for may be known now. */
  overflowed: boolean;
}

const NAMES_MAX = 50_000;

/** The inventory's word on pods, shared by all partitions of the process, and who waits for news of it. */
export class Workloads {
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #index = new WorkloadIndex();
  readonly #readers = new Set<News>();

  constructor(log: Logger, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  get pods(): number {
    return this.#index.pods;
  }

  /** Takes a record of the topic `workloads`; one that cannot be read has no effect, is counted, and named in the log. */
  put(key: string, value: Buffer | null, { partition, offset }: Pick<BusRecord, 'partition' | 'offset'>): void {
    if (value === null) {
      this.#index.remove(key);
      return;
    }
    const snapshot = parse(value);
    if (typeof snapshot === 'string') {
      const place = { topic: 'workloads', partition, offset, reason: snapshot };
      this.#log.warn({ ...place, key }, 'a workload record cannot be read and has no effect');
      this.#metrics.count('eyrie_dead_letters_total', { stage: 'workloads', reason: snapshot });
      return;
    }
    if (!this.#index.apply(snapshot) || this.#readers.size === 0) return;
    const names = entitiesOf(snapshot);
    for (const reader of this.#readers) {
      if (reader.names.length < NAMES_MAX) reader.names.push(...names);
      else reader.overflowed = true;
    }
  }

  identify(subject: Subject): Identity | undefined {
    return this.#index.identify(subject);
  }

  get version(): number {
    return this.#index.version;
  }

  isSteady(subject: Subject): boolean {
    return this.#index.isSteady(subject);
  }

  hasInventory(tenant: string, cluster: string): boolean {
    return this.#index.hasInventory(tenant, cluster);
  }

  expire(now: number): void {
    this.#index.expire(now);
  }

  takeEvicted(): number {
    return this.#index.takeEvicted();
  }

  subscribe(): News {
    const news: News = { names: [], overflowed: false };
    this.#readers.add(news);
    return news;
  }

  unsubscribe(news: News): void {
    this.#readers.delete(news);
  }
}

function parse(value: Buffer): WorkloadSnapshot | 'newer_format' | 'unreadable' {
  try {
    const snapshot: unknown = JSON.parse(value.toString('utf8'));
    const { v } = (snapshot ?? {}) as { readonly v?: unknown };
    if (typeof v === 'number' && v > FORMATS.record) return 'newer_format';
    return typeof v === 'number' && isWorkloadSnapshot(snapshot) ? snapshot : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
