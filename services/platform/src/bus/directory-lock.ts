import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../errors.ts';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same pid. */
  readonly started: string;
  readonly since: string;
}

/**
 * Makes this process the owner of a directory, by a file that names it. The lock of a process that is gone is taken
 * over; an owner on another host cannot be asked, so it counts as alive.
 * @returns how to give it up
 * @throws AppError EYRIE_DATA_DIR_LOCKED, naming the owner
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'lock');
  const me: Owner = {
    pid: process.pid,
    host: hostname(),
    started: startOf(process.pid) ?? '',
    since: new Date().toISOString(),
  };
  for (;;) {
    if (create(file, me)) return () => release(file, me);
    const owner = readOwner(file);
    if (owner !== undefined && alive(owner)) {
      throw new AppError(
        'EYRIE_DATA_DIR_LOCKED',
        `${directory} belongs to process ${owner.pid} on ${owner.host} since ${owner.since}. Stop it, or use another directory`,
      );
    }
    takeAway(file);
  }
}

/** False when the file is there already. */
function create(file: string, owner: Owner): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  writeSync(descriptor, `${JSON.stringify(owner)}\n`);
  fsyncSync(descriptor);
  closeSync(descriptor);
  return true;
}

/** Of several processes that found the same dead owner one wins the rename. */
function takeAway(file: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    rmSync(aside, { force: true });
  } catch {
    // Another process was faster.
  }
}

function release(file: string, me: Owner): void {
  const owner = readOwner(file);
  if (owner?.pid === me.pid && owner.started === me.started) rmSync(file, { force: true });
}

function readOwner(file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Owner;
    return Number.isInteger(owner.pid) && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

function alive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const started = startOf(owner.pid);
  return started === undefined || owner.started === '' || started === owner.started;
}

/** Start time of a process in ticks since boot, with the boot's id; undefined where /proc does not tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
  } catch {
    return undefined;
  }
}
