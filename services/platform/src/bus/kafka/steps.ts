import { AppError } from '../../errors.ts';

/** The steps of one owner, one after another; after a failed one, or when the partition is lost, there are no more. */
export class Steps {
  readonly #owner: string;
  #lost: string | undefined;
  /** The step under way; those behind it wait for it. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param owner as a message names it */
  constructor(owner: string) {
    this.#owner = owner;
  }

  /** Refuses every later step; the first reason stays. */
  lose(why: string): void {
    this.#lost ??= why;
  }

  /** @throws AppError EYRIE_FENCED */
  assertLive(): void {
    if (this.#lost !== undefined) throw new AppError('EYRIE_FENCED', `${this.#owner}: ${this.#lost}`);
  }

  /** @throws AppError EYRIE_FENCED, and what the step threw */
  run<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      this.assertLive();
      try {
        return await step();
      } catch (error) {
        this.lose('an earlier step failed; start anew from the committed state');
        throw error;
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
