import { randomBytes } from 'node:crypto';
import { accessSync, constants, readdirSync, rmSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'eyrie-rows-';

/** Rows on their way to the engine: a file in memory where the machine has one, named after this process. */
export function rowFileDirectory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** Writes the rows, hands the path to the task, and removes the file whatever happens. */
export async function withRowFile<T>(rows: Buffer, task: (path: string) => Promise<T>): Promise<T> {
  const path = join(rowFileDirectory(), `${PREFIX}${process.pid}-${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(path, rows, { flag: 'wx', mode: 0o600 });
    return await task(path);
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

/** Removes what killed processes left behind. */
export function removeOrphanedRowFiles(): number {
  const directory = rowFileDirectory();
  let removed = 0;
  for (const name of readdirSync(directory)) {
    const pid = /^eyrie-rows-(\d+)-[0-9a-f]{16}$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    rmSync(join(directory, name), { force: true });
    removed += 1;
  }
  return removed;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
