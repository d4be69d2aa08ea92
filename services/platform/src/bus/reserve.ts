import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';

const RESERVE_BYTES = 8 * 1024 * 1024;
/** Space the file system must have left before the reserve is taken again. */
const COMFORT_BYTES = 64 * 1024 * 1024;
/** Without this much the engine cannot be opened: it maps a lock file, and a mapped page without a block is fatal. */
const OPEN_BYTES = 1024 * 1024;

/**
 * Space put aside for the day the disk is full: given back so that steps which only move on can still be committed,
 * which lets retention free pages inside the log. Taken again once there is room.
 */
export class Reserve {
  readonly #directory: string;
  readonly #file: string;
  readonly #log: Logger;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#file = join(directory, 'reserve');
    this.#log = log;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (this.#free() < OPEN_BYTES && !(this.release() && this.#free() >= OPEN_BYTES)) {
      throw new AppError('EYRIE_DISK_FULL', `${directory}: less than ${OPEN_BYTES} bytes are free`, {
        retryable: true,
      });
    }
    this.take();
  }

  /** True when space was given back. */
  release(): boolean {
    if (!existsSync(this.#file) || statSync(this.#file).size === 0) return false;
    rmSync(this.#file);
    this.#log.error('the disk is full: the reserve is used to go on; free space');
    return true;
  }

  /** Takes the reserve where it is missing and there is room. */
  take(): void {
    if (existsSync(this.#file)) return;
    if (this.#free() < COMFORT_BYTES) return;
    try {
      writeFileSync(this.#file, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
    } catch (error) {
      rmSync(this.#file, { force: true });
      this.#log.warn({ err: error }, 'the reserve for a full disk cannot be taken');
    }
  }

  #free(): number {
    const { bavail, bsize } = statfsSync(this.#directory);
    return bavail * bsize;
  }
}
