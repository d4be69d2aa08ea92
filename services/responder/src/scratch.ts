import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** No script may run longer (600 s): what is older belongs to a process that was killed. */
const ABANDONED_MS = 3_600_000;

/** Makes the directory of temporary directories, and removes those a killed process left behind. */
export function prepareScratch(directory: string, now: number): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (now - statSync(path).mtimeMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
  }
}
