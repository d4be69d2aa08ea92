import { randomBytes, randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FORMATS } from '@eyrie/schemas';
import { AppError } from '../errors.ts';
import { lockDirectory } from './directory-lock.ts';

/** The directory everything embedded lives in, owned by one process. */
export interface DataDirectory {
  readonly path: string;
  /** Random, made with the directory: names its history of offsets. */
  readonly logIdentity: string;
  /** Key of the signed topics. */
  readonly signingKey: Buffer;
  /** Gives the directory up. */
  close(): void;
}

const KEY_BYTES = 32;

/**
 * Takes ownership of a data directory, made where it is missing. It holds `lock`, `format.json`, `key` (0600) and a
 * directory for each engine; only its owner may look inside (0700).
 * @throws AppError EYRIE_DATA_DIR_LOCKED, EYRIE_DATA_DIR_NEWER, EYRIE_DATA_DIR_DAMAGED
 */
export function openDataDirectory(path: string): DataDirectory {
  makeDirectory(path);
  const unlock = lockDirectory(path);
  try {
    chmodSync(path, 0o700);
    return { path, ...readFormat(path), signingKey: readKey(path), close: unlock };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Names another history of offsets from here on: those after a restored backup are other records than those it lost. */
export function renewLogIdentity(directory: DataDirectory): DataDirectory {
  return { ...directory, logIdentity: writeFormat(directory.path) };
}

function writeFormat(path: string): string {
  const format = { format: FORMATS.dataDirectory, log_identity: randomUUID() };
  writeDurably(join(path, 'format.json'), `${JSON.stringify(format)}\n`);
  return format.log_identity;
}

function makeDirectory(path: string): void {
  try {
    makeMissing(resolve(path));
    accessSync(path, constants.W_OK);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw cause;
    throw new AppError(
      'EYRIE_CONFIG_INVALID',
      `${path} cannot be used as a data directory: ${message}. Name a directory this user may write`,
      { cause },
    );
  }
}

/**
 * Not by `recursive`, which never returns where a directory exists and nothing can be made in it (`/proc`).
 */
function makeMissing(path: string): void {
  const parent = dirname(path);
  if (parent !== path && !existsSync(parent)) makeMissing(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isDirectory(path)) throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readFormat(path: string): { readonly logIdentity: string } {
  const file = join(path, 'format.json');
  if (!existsSync(file)) {
    const others = readdirSync(path).filter((name) => !/^lock\b|\.new$/.test(name));
    if (others.length > 0) throw damaged(path, `format.json is missing beside ${others.slice(0, 3).join(', ')}`);
    return { logIdentity: writeFormat(path) };
  }
  const { format, log_identity: logIdentity } = parse(path, readFileSync(file, 'utf8'));
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1)
    throw damaged(path, 'format.json is garbage');
  if (format > FORMATS.dataDirectory) {
    throw new AppError(
      'EYRIE_DATA_DIR_NEWER',
      `${path} has format ${format}; this program knows ${FORMATS.dataDirectory}. Run the newer one, or use another directory`,
    );
  }
  if (typeof logIdentity !== 'string' || logIdentity === '') throw damaged(path, 'format.json names no log identity');
  return { logIdentity };
}

function parse(path: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, with what to do.
  }
  throw damaged(path, 'format.json is garbage');
}

function readKey(path: string): Buffer {
  const file = join(path, 'key');
  if (!existsSync(file)) {
    if (existsSync(join(path, 'log'))) throw damaged(path, 'key is missing, and records were signed with it');
    writeDurably(file, randomBytes(KEY_BYTES).toString('hex'));
  }
  const key = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(key)) throw damaged(path, 'key is not 64 hex digits');
  chmodSync(file, 0o600);
  return Buffer.from(key, 'hex');
}

/** Whole or not at all: a process may die at any moment. */
function writeDurably(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}

function damaged(path: string, what: string): AppError {
  return new AppError(
    'EYRIE_DATA_DIR_DAMAGED',
    `${path}: ${what}. Restore a backup, or move the directory away and start with an empty one`,
  );
}
