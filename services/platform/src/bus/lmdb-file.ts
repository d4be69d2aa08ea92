import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { AppError } from '../errors.ts';

/** Where LMDB's data format 2 keeps what is checked, relative to the start of a meta page. */
const META = {
  magic: 24,
  version: 28,
  pageSize: 48,
  freeRoot: 88,
  mainRoot: 136,
  lastPage: 144,
  transaction: 152,
  bytes: 160,
} as const;
const PAGE = { number: 0, flags: 18 } as const;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
const TREE_PAGE = 0x01 | 0x02;

interface Meta {
  readonly transaction: bigint;
  readonly lastPage: bigint;
  readonly roots: readonly bigint[];
}

/**
 * Looks at an LMDB file before the engine maps it: the engine trusts the file, and a cut or foreign one ends the
 * process with a signal. Checked: both meta pages, the length, and the roots of both trees.
 * @throws AppError EYRIE_DATA_DIR_DAMAGED
 */
export function checkLmdbFile(file: string, pageBytes: number): void {
  if (!existsSync(file)) return;
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    // The engine makes an empty file anew; so would a process that died before the first commit have left it.
    if (size === 0) return;
    const problem = findProblem(descriptor, size, pageBytes);
    if (problem !== undefined) {
      throw new AppError(
        'EYRIE_DATA_DIR_DAMAGED',
        `${file}: ${problem}. Restore a backup, or move the data directory away and start with an empty one`,
      );
    }
  } finally {
    closeSync(descriptor);
  }
}

function findProblem(descriptor: number, size: number, pageBytes: number): string | undefined {
  const metas: Meta[] = [];
  for (const number of [0, 1]) {
    const page = readAt(descriptor, number * pageBytes, META.bytes);
    if (page === undefined) return `it is cut off after ${size} bytes`;
    if (page.readUInt32LE(META.magic) !== MAGIC || page.readUInt32LE(META.version) !== VERSION) {
      return 'it is no log of this format';
    }
    if (page.readUInt32LE(META.pageSize) !== pageBytes)
      return `its pages have ${page.readUInt32LE(META.pageSize)} bytes`;
    metas.push({
      transaction: page.readBigUInt64LE(META.transaction),
      lastPage: page.readBigUInt64LE(META.lastPage),
      roots: [page.readBigUInt64LE(META.freeRoot), page.readBigUInt64LE(META.mainRoot)],
    });
  }
  const newest = metas.reduce((a, b) => (b.transaction > a.transaction ? b : a));
  for (const root of newest.roots) {
    if (root === NO_PAGE) continue;
    const page = root > newest.lastPage ? undefined : readAt(descriptor, Number(root) * pageBytes, 24);
    if (page === undefined) return `it is cut off after ${size} bytes`;
    if (page.readBigUInt64LE(PAGE.number) !== root || (page.readUInt16LE(PAGE.flags) & TREE_PAGE) === 0) {
      return `page ${root} is overwritten`;
    }
  }
  // The last page may never have been written in full: only its beginning must be there.
  return BigInt(size) <= newest.lastPage * BigInt(pageBytes) ? `it is cut off after ${size} bytes` : undefined;
}

function readAt(descriptor: number, position: number, bytes: number): Buffer | undefined {
  const buffer = Buffer.alloc(bytes);
  return readSync(descriptor, buffer, 0, bytes, position) === bytes ? buffer : undefined;
}
