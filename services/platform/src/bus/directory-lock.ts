import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AppError } from '../errors.ts';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Which processes the pid counts among: containers have their own. */
  readonly pids: string;
  /** Tells a process from a later one with the same pid. */
  readonly started: string;
  readonly since: string;
}

/** An owner touches its lock this often … */
const BEAT_MS = 5_000;
/** … and one that cannot be asked (another host or container) counts as gone after this long without. */
const GONE_MS = 30_000;

/**
 * Makes this process the owner of a directory, by a file that names it. The lock of a process that is gone is taken
 * over: at once where its pid can be asked, otherwise when its lock has not been touched for a while.
 * @returns how to give it up
 * @throws AppError EYRIE_DATA_DIR_LOCKED, naming the owner
 */
export function lockDirectory(directory: string): () => void {
  const file = join(directory, 'lock');
  const me: Owner = {
    pid: process.pid,
    host: hostname(),
    pids: pidNamespace(),
    started: startOf(process.pid) ?? '',
    since: new Date().toISOString(),
  };
  while (!create(file, me)) {
    const found = readText(file);
    const owner = parseOwner(found);
    if (owner !== undefined && alive(owner, file)) throw locked(directory, owner);
    takeAway(file, found);
  }
  const beat = setInterval(() => touch(file), BEAT_MS);
  beat.unref();
  return () => {
    clearInterval(beat);
    const owner = parseOwner(readText(file));
    if (owner?.pid === me.pid && owner.started === me.started) rmSync(file, { force: true });
  };
}

function locked(directory: string, owner: Owner): AppError {
  return new AppError(
    'EYRIE_DATA_DIR_LOCKED',
    `${directory} belongs to process ${owner.pid} on ${owner.host} since ${owner.since}. Stop it, or use another directory`,
  );
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

/** Of several processes that found the same dead owner one wins; a lock made meanwhile is put back. */
function takeAway(file: string, found: string | undefined): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (readText(aside) !== found) linkSync(aside, file);
  } catch {
    // Another process was faster.
  }
  rmSync(aside, { force: true });
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parseOwner(text: string | undefined): Owner | undefined {
  try {
    const owner = JSON.parse(text ?? '') as Owner;
    return Number.isInteger(owner.pid) && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

function alive(owner: Owner, file: string): boolean {
  if (owner.host !== hostname() || owner.pids !== pidNamespace()) return touchedLately(file);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const started = startOf(owner.pid);
  return started === undefined || owner.started === '' || started === owner.started;
}

function touchedLately(file: string): boolean {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < GONE_MS;
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // The directory was moved away; whoever did that knows.
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
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
