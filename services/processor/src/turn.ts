/** Work in one piece up to this long; half of what a post may wait for its answer. */
const WORK_MS = 5;

/**
 * Shares the event loop by time. A long batch must not hold up the posts that wait for their answer; but a turn given
 * away between two records of a short one costs the whole batch the sync of whoever writes in that turn.
 */
export class Turn {
  #begun = 0;

  /** At the start of a batch: what was waited for before it is no work. */
  begin(): void {
    this.#begun = performance.now();
  }

  /** Between two records: lets others run once this batch has worked long enough. */
  async share(): Promise<void> {
    if (performance.now() - this.#begun < WORK_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.begin();
  }
}
