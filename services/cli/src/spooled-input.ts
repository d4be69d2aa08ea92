import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Standard input can be read once: for work that reads its files twice `-` becomes a private temporary file. */
export async function withSpooledInput<T>(
  files: readonly string[],
  work: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  if (!files.includes('-')) return work(files);
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-input-'));
  try {
    const spooled = join(directory, 'input');
    await pipeline(process.stdin, createWriteStream(spooled, { mode: 0o600 }));
    return await work(files.map((file) => (file === '-' ? spooled : file)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
