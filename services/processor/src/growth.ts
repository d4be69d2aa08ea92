import type { Clock } from '@eyrie/platform/clock';

const POLL_MS = 20;

/** Asks every partition that is judged here to write what grew; each says when it has. */
export class GrowthRequests {
  readonly #written = new Map<number, number>();
  #asked = 0;

  /** Resolves once all partitions that run have committed what grew until now. */
  async write(clock: Clock): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    while ([...this.#written.values()].some((written) => written < asked)) await clock.sleep(POLL_MS);
  }

  begin(partition: number): void {
    this.#written.set(partition, this.#asked);
  }

  end(partition: number): void {
    this.#written.delete(partition);
  }

  /** The request this partition has not followed yet. */
  due(partition: number): number | undefined {
    const written = this.#written.get(partition);
    return written === undefined || written >= this.#asked ? undefined : this.#asked;
  }

  committed(partition: number, request: number): void {
    this.#written.set(partition, request);
  }
}
