import type { TopicName } from '@eyrie/schemas';

/** How far the loops have come, for those who wait for them. */
export class Progress {
  readonly #next = new Map<string, number>();
  readonly #busy = new Map<number, boolean>();
  readonly #waiting = new Set<() => void>();

  reached(topic: TopicName, partition: number, next: number): void {
    this.#next.set(`${topic}/${partition}`, next);
    this.#wake();
  }

  /** Whether a partition's owner has actions running or ready to begin. */
  busy(partition: number, busy: boolean): void {
    if (this.#busy.get(partition) === busy) return;
    this.#busy.set(partition, busy);
    this.#wake();
  }

  async until(topic: TopicName, partition: number, end: number): Promise<void> {
    while ((this.#next.get(`${topic}/${partition}`) ?? 0) < end) await this.#change();
  }

  async idle(): Promise<void> {
    while ([...this.#busy.values()].some((busy) => busy)) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
