import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open } from 'lmdb';
import { AppError } from '../errors.ts';
import { checkLmdbFile } from './lmdb-file.ts';

/** An ordered map of bytes with atomic, durable transactions: what the embedded log is built on. */
export interface Kv {
  get(key: Buffer): Buffer | undefined;
  /**
   * Visits entries with `from <= key < to` in order, until `visit` returns false. Synchronous, so that no read
   * transaction lives across an await: one that does would keep every page freed meanwhile from being used again.
   */
  scan(from: Buffer, to: Buffer, visit: (key: Buffer, value: Buffer) => boolean): void;
  /** The last key in `from <= key < to`. */
  last(from: Buffer, to: Buffer): Buffer | undefined;
  /** Only inside `transact`. Copies the value before it returns. */
  put(key: Buffer, value: Buffer): void;
  /** Only inside `transact`. */
  remove(key: Buffer): void;
  /**
   * Runs `action` and commits, or undoes everything and throws. When it returns the bytes are on disk.
   * @throws AppError EYRIE_DISK_FULL, EYRIE_BUS_UNAVAILABLE; whatever `action` throws
   */
  transact(action: () => void): void;
  close(): Promise<void>;
}

/**
 * 16 KiB pages. A frame takes whole neighbouring pages, and with the usual 4 KiB the free list breaks up once
 * retention removes frames: the cost of an append grew fivefold within a million events. With 16 KiB it stays level.
 */
export const PAGE_BYTES = 16_384;

/** The longest value that fits one page of its own, beside the page's header. */
export const ONE_PAGE_BYTES = PAGE_BYTES - 24;

/**
 * Pages that were read stay mapped, and count as the process's memory, until the file is mapped anew: after this much.
 * Readers that keep up are served by tails and read next to nothing here.
 */
const MAPPED_BYTES = 256 * 1024 * 1024;
/** A value's first page is looked at before it is removed, and the kernel maps that page's neighbours with it. */
const TOUCHED_BYTES = 64 * 1024;

const TRANSACTION_ABORTABLE = 1;
const TRANSACTION_SYNCHRONOUS = 2;

/**
 * Opens LMDB. The sync policy: a transaction is committed on the calling thread; LMDB writes the pages, calls
 * `fdatasync`, then writes its meta page through a descriptor opened with O_DSYNC. Only after both does `transact`
 * return. `overlappingSync` (the library's default, which may answer before the flush) is off. `sync: false` turns all
 * of that off and exists for benchmarks and as the negative control of the test that watches the system calls.
 */
export function openKv(
  directory: string,
  options: { readonly sync: boolean; readonly mapBytes: number; readonly mappedBytes?: number },
): Kv {
  const mappedBytes = options.mappedBytes ?? MAPPED_BYTES;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'data.mdb');
  checkLmdbFile(file, PAGE_BYTES);
  const isNew = !existsSync(file);
  const map = () =>
    open<Buffer, Buffer>({
      path: file,
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      compression: false,
      pageSize: PAGE_BYTES,
      mapSize: options.mapBytes,
      overlappingSync: false,
      noSync: !options.sync,
    });
  let root = engine(map);
  let read = 0;
  /** Scans and transactions under way. */
  let busy = 0;
  let isClosed = false;
  if (isNew) {
    chmodSync(file, 0o600);
    for (const path of [directory, dirname(directory)]) syncDirectory(path);
  }

  /** Between two calls nothing is open and every value given out is a copy, so that closing takes effect at once. */
  function limitMapped(): void {
    if (read < mappedBytes || busy > 0 || isClosed) return;
    void root.close();
    root = map();
    read = 0;
  }

  function whole(work: () => void): void {
    engine(() => {
      limitMapped();
      busy += 1;
      try {
        work();
      } finally {
        busy -= 1;
      }
    });
  }

  return {
    get: (key) =>
      engine(() => {
        limitMapped();
        const value = root.getBinary(key);
        read += value?.length ?? 0;
        return value;
      }),
    scan: (from, to, visit) =>
      whole(() => {
        for (const { key, value } of root.getRange({ start: from, end: to })) {
          read += value.length;
          if (!visit(key, value)) return;
        }
      }),
    last: (from, to) =>
      engine(() => {
        // Backwards the range begins at `to`, which is never a key itself.
        for (const key of root.getKeys({ start: to, reverse: true, limit: 1 })) {
          return Buffer.compare(key, from) >= 0 ? key : undefined;
        }
        return undefined;
      }),
    put: (key, value) => void root.putSync(key, value),
    remove: (key) => {
      read += TOUCHED_BYTES;
      root.removeSync(key);
    },
    transact: (action) =>
      whole(() => void root.transactionSync(action, TRANSACTION_ABORTABLE | TRANSACTION_SYNCHRONOUS)),
    close: () => {
      isClosed = true;
      return root.close();
    },
  };
}

/** A new file is not durable before the directory that names it. */
function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** LMDB reports by message; the code before the colon or the text of the system's error says which. */
function engine<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof AppError || !(error instanceof Error)) throw error;
    const { message } = error;
    if (/No space left|MDB_MAP_FULL|Disk quota|Input\/output error|File too large/i.test(message)) {
      throw new AppError('EYRIE_DISK_FULL', `the log cannot be written, the disk is full or fails: ${message}`, {
        retryable: true,
        cause: error,
      });
    }
    if (/MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|VERSION_MISMATCH)/.test(message)) {
      throw new AppError('EYRIE_DATA_DIR_DAMAGED', `the log cannot be read: ${message}`, { cause: error });
    }
    if (/MDB_|closed/.test(message)) {
      throw new AppError('EYRIE_BUS_UNAVAILABLE', `the log failed: ${message}`, { retryable: true, cause: error });
    }
    throw error;
  }
}
