import type { Logger } from '@eyrie/platform/log';
import type { Identity, WorkloadSnapshot } from '@eyrie/schemas';
import { entitiesOf, type Subject } from './core/judge/judge.ts';

/** Names under which alerts may wait, as the inventory speaks of them. Emptied by its reader. */
export interface News {
  readonly names: string[];
}

/** The inventory's word on pods, shared by all partitions, and who waits for news of it. */
export class Workloads {
  readonly #log: Logger;
  readonly #readers = new Set<News>();
  readonly #clusters = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  put(key: string, value: Buffer | null): void {
    if (value === null) return;
    let snapshot: WorkloadSnapshot;
    try {
      snapshot = JSON.parse(value.toString('utf8')) as WorkloadSnapshot;
    } catch {
      this.#log.warn({ key }, 'workload record is not JSON and has no effect');
      return;
    }
    this.#clusters.add(`${snapshot.tenant}/${snapshot.cluster}`);
    const names = entitiesOf(snapshot);
    for (const reader of this.#readers) reader.names.push(...names);
  }

  identify(_subject: Subject): Identity | undefined {
    return undefined;
  }

  hasInventory(tenant: string, cluster: string): boolean {
    return this.#clusters.has(`${tenant}/${cluster}`);
  }

  subscribe(): News {
    const news: News = { names: [] };
    this.#readers.add(news);
    return news;
  }

  unsubscribe(news: News): void {
    this.#readers.delete(news);
  }
}
