import { AppError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { keys } from './keys.ts';
import type { Kv } from './kv.ts';

/** One change of the log, applied whole inside a transaction it may share with others. */
export interface Change<T> {
  /** Bytes it writes, for the bound of a transaction. */
  readonly bytes: number;
  readonly log: boolean;
  readonly state: boolean;
  readonly positions: boolean;
  /** Refuses by throwing, before anything is touched. */
  check?(): void;
  apply(): T;
}

interface Queued {
  readonly change: Change<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

interface WriterOptions {
  /** Called after each commit or undone transaction, before the promises settle. */
  readonly committed: () => void;
  readonly aborted: () => void;
  /** Gives reserved space back to the file system; false when nothing was held. */
  readonly releaseReserve: () => boolean;
  readonly boundReached: (bound: string) => void;
}

/** A transaction longer than this would hold the event loop too long. */
const TRANSACTION_BYTES = 8 * 1024 * 1024;
/** Beyond this much waiting, appends are refused. Steps are not: each group has one at a time, and they empty the log. */
const PENDING_BYTES = 128 * 1024 * 1024;

/**
 * Appends wait until this long after the commit before: under load more of them share a commit, which costs the same
 * for one as for thirty. A step of a group does not wait, and takes the waiting appends along.
 */
const INTAKE_GAP_MS = 2;

/** How long a full disk is not tried again for intake. */
const FULL_PAUSE_MS = 200;

/**
 * The one writer of the log. All changes asked for in one turn of the event loop share one transaction and one sync
 * (`setImmediate`), whoever asked: this halves the cost of small appends. Under load appends wait for a moment more.
 */
export class Writer {
  readonly #kv: Kv;
  readonly #options: WriterOptions;
  #queue: Queued[] = [];
  #pendingBytes = 0;
  /** The turn that will commit: the next one, or the first after the gap. */
  #turn: NodeJS.Immediate | undefined;
  #gap: NodeJS.Timeout | undefined;
  #committedAt = 0;
  #closed = false;
  #fullUntil = 0;

  constructor(kv: Kv, options: WriterOptions) {
    this.#kv = kv;
    this.#options = options;
  }

  /** Bytes asked for and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  run<T>(change: Change<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    const isStep = change.positions || change.state;
    if (!isStep && this.#pendingBytes > PENDING_BYTES) {
      this.#options.boundReached('bus_pending_bytes');
      return Promise.reject(
        new AppError('EYRIE_BUS_FULL', `${this.#pendingBytes} bytes wait to be written`, { retryable: true }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject });
      this.#pendingBytes += change.bytes;
      this.#schedule(isStep);
    });
  }

  /** Writes what is waiting, then refuses. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length > 0) this.#schedule(true);
    while (this.#queue.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #schedule(isUrgent: boolean): void {
    if (this.#turn !== undefined) return;
    const wait = isUrgent ? 0 : this.#committedAt + INTAKE_GAP_MS - performance.now();
    if (wait > 0) {
      this.#gap ??= setTimeout(() => this.#schedule(true), wait);
      return;
    }
    clearTimeout(this.#gap);
    this.#gap = undefined;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      this.#commit(this.#take());
      this.#committedAt = performance.now();
      if (this.#queue.length > 0) this.#schedule(true);
    });
  }

  #take(): readonly Queued[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.#queue) {
      if (count > 0 && bytes + change.bytes > TRANSACTION_BYTES) break;
      bytes += change.bytes;
      count += 1;
    }
    const taken = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    this.#pendingBytes -= bytes;
    return taken;
  }

  #commit(batch: readonly Queued[]): void {
    const settled: (() => void)[] = [];
    const points = {
      log: batch.some(({ change }) => change.log),
      state: batch.some(({ change }) => change.state),
      positions: batch.some(({ change }) => change.positions),
    };
    try {
      this.#kv.transact(() => {
        for (const queued of batch) settled.push(attempt(queued));
        if (points.log) failpoint('before-log-commit');
        if (points.state) failpoint('before-state-commit');
        if (points.positions) failpoint('before-position-commit');
      });
    } catch (error) {
      this.#options.aborted();
      this.#recover(batch, error);
      return;
    }
    this.#options.committed();
    try {
      if (points.log) failpoint('after-log-commit');
      if (points.state) failpoint('after-state-commit');
      if (points.positions) failpoint('after-position-commit');
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const settle of settled) settle();
  }

  /**
   * Without space, steps of groups are tried alone and may use the reserve: they let retention free pages. Appends
   * are tried a second time, after an empty commit, because pages freed by the last one are usable only then.
   */
  #recover(batch: readonly Queued[], error: unknown): void {
    if (!(error instanceof AppError) || error.code !== 'EYRIE_DISK_FULL') {
      for (const { reject } of batch) reject(error);
      return;
    }
    const steps = batch.filter(({ change }) => change.positions || change.state);
    const appends = batch.filter(({ change }) => !change.positions && !change.state);
    if (batch.length > 1) for (const step of steps) this.#commit([step]);
    if (steps.length > 0 && batch.length === 1) {
      if (this.#options.releaseReserve() || this.#freePages()) this.#commit(batch);
      else for (const { reject } of batch) reject(error);
    } else if (steps.length === 0 && this.#freePages()) {
      this.#commit(appends);
    } else {
      this.#options.boundReached('bus_disk');
      for (const { reject } of appends) reject(error);
    }
  }

  /** True when a tiny transaction could be committed; not again until `FULL_PAUSE_MS` have passed. */
  #freePages(): boolean {
    if (performance.now() < this.#fullUntil) return false;
    this.#fullUntil = performance.now() + FULL_PAUSE_MS;
    try {
      this.#kv.transact(() => this.#kv.put(keys.nudge(), Buffer.from(String(this.#fullUntil))));
      return true;
    } catch {
      return false;
    }
  }
}

function attempt({ change, resolve, reject }: Queued): () => void {
  try {
    change.check?.();
  } catch (error) {
    return () => reject(error);
  }
  const result = change.apply();
  return () => resolve(result as never);
}

export function closedError(): AppError {
  return new AppError('EYRIE_BUS_UNAVAILABLE', 'the log is closed', { retryable: true });
}
