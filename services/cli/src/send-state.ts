import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '@eyrie/platform/errors';
import { refuseUnwritable } from './ready.ts';

/** How far a file was acknowledged: bytes of its (unpacked) text, at the end of a line. */
interface FileState {
  readonly bytes: number;
  /** SHA-256 of the first `head_bytes` of the file, so that another file of the same name starts anew. */
  readonly head_bytes: number;
  readonly head_sha256: string;
}

interface StateFile {
  readonly format: 1;
  readonly files: Record<string, FileState>;
}

export interface SendState {
  /** Bytes of the file that were acknowledged before. */
  acknowledged(file: string): number;
  /** Remembers how far a file was acknowledged, whole or not at all. */
  save(file: string, bytes: number): void;
}

const HEAD_BYTES = 4096;

/** Standard input has no identity and is never remembered. @throws AppError EYRIE_INPUT_UNREADABLE, EYRIE_USAGE */
export function openSendState(path: string | undefined): SendState {
  if (path !== undefined) refuseUnwritable(path);
  const files: Record<string, FileState> = path === undefined ? {} : read(path);
  const heads = new Map<string, { bytes: number; sha256: string }>();
  return {
    acknowledged: (file) => {
      const known = files[resolve(file)];
      if (file === '-' || known === undefined) return 0;
      const same = headOf(file, known.head_bytes).sha256 === known.head_sha256;
      return same ? known.bytes : 0;
    },
    save: (file, bytes) => {
      if (file === '-' || path === undefined) return;
      let head = heads.get(file);
      if (head === undefined) {
        head = headOf(file, HEAD_BYTES);
        heads.set(file, head);
      }
      files[resolve(file)] = { bytes, head_bytes: head.bytes, head_sha256: head.sha256 };
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(temporary, `${JSON.stringify({ format: 1, files } satisfies StateFile)}\n`);
      renameSync(temporary, path);
    },
  };
}

function read(path: string): Record<string, FileState> {
  if (!existsSync(path)) return {};
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as Partial<StateFile>;
    if (state.format === 1 && typeof state.files === 'object') return state.files;
  } catch {
    // Said below.
  }
  throw new AppError('EYRIE_INPUT_UNREADABLE', `${path} is no state file of eyrie send; remove it to start anew`);
}

function headOf(file: string, maximum: number): { bytes: number; sha256: string } {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const head = Buffer.alloc(Math.min(maximum, statSync(file).isFile() ? maximum : 0));
      const bytes = head.length === 0 ? 0 : readSync(descriptor, head, 0, head.length, 0);
      return { bytes, sha256: createHash('sha256').update(head.subarray(0, bytes)).digest('hex') };
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new AppError('EYRIE_INPUT_UNREADABLE', `cannot read ${file}`, { cause });
  }
}
