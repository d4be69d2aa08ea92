import type { Metrics } from '@eyrie/platform/metrics';

/** How far this process is behind in the partitions of one topic it owns. */
export class Lag {
  readonly #metrics: Metrics;
  readonly #labels: { readonly group: string; readonly topic: string };
  readonly #partitions = new Map<number, { readonly records: number; readonly seconds: number }>();

  constructor(metrics: Metrics, labels: { readonly group: string; readonly topic: string }) {
    this.#metrics = metrics;
    this.#labels = labels;
  }

  /** @param seconds how long the records before the first unread one had waited */
  note(partition: number, records: number, seconds: number): void {
    this.#partitions.set(partition, { records, seconds: records === 0 ? 0 : Math.max(0, seconds) });
    this.#tell();
  }

  /** The partition has another owner. */
  forget(partition: number): void {
    this.#partitions.delete(partition);
    this.#tell();
  }

  #tell(): void {
    const all = [...this.#partitions.values()];
    const records = all.reduce((sum, one) => sum + one.records, 0);
    const seconds = all.reduce((most, one) => Math.max(most, one.seconds), 0);
    this.#metrics.set('eyrie_bus_lag_records', this.#labels, records);
    this.#metrics.set('eyrie_bus_lag_seconds', this.#labels, seconds);
  }
}
