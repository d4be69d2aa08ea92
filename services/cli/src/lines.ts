import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '@eyrie/platform/errors';

const NEWLINE = 10;
const BLOCK_BYTES = 1024 * 1024;

/** A run of whole lines of a file, each ended by a newline. */
export interface Block {
  readonly lines: number;
  readonly bytes: Buffer;
}

/**
 * Reads files (`-` is standard input, gzip is recognised by its first bytes) as blocks of whole lines of about 1 MiB.
 * A last line without newline gets one. A line over `maxLineBytes` passes in one block of its own, however long.
 * @throws AppError EYRIE_INPUT_UNREADABLE
 */
export async function* readBlocks(files: readonly string[], onBytes: (bytes: number) => void): AsyncGenerator<Block> {
  for (const file of files) {
    let rest: Buffer[] = [];
    let restBytes = 0;
    try {
      for await (const chunk of await openInput(file)) {
        const buffer = chunk as Buffer;
        onBytes(buffer.length);
        rest.push(buffer);
        restBytes += buffer.length;
        const last = buffer.lastIndexOf(NEWLINE);
        if (last < 0 || restBytes < BLOCK_BYTES) continue;
        const all = Buffer.concat(rest, restBytes);
        const cut = restBytes - buffer.length + last + 1;
        yield { bytes: all.subarray(0, cut), lines: countLines(all, cut) };
        rest = [all.subarray(cut)];
        restBytes = all.length - cut;
      }
    } catch (error) {
      throw new AppError(
        'EYRIE_INPUT_UNREADABLE',
        `${file}: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    }
    if (restBytes === 0) continue;
    const all = Buffer.concat(rest, restBytes);
    const bytes = all[all.length - 1] === NEWLINE ? all : Buffer.concat([all, Buffer.from('\n')]);
    yield { bytes, lines: countLines(bytes, bytes.length) };
  }
}

function countLines(buffer: Buffer, end: number): number {
  let count = 0;
  for (let at = buffer.indexOf(NEWLINE); at >= 0 && at < end; at = buffer.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

async function openInput(file: string): Promise<Readable> {
  const input: Readable = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 256 * 1024 });
  const first = await firstChunk(input);
  if (first !== undefined) input.unshift(first);
  if (first === undefined || first[0] !== 0x1f || first[1] !== 0x8b) return input;
  const gunzip = createGunzip();
  input.on('error', (error) => gunzip.destroy(error));
  return input.pipe(gunzip);
}

function firstChunk(input: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    input.once('readable', () => resolve((input.read() as Buffer | null) ?? undefined));
    input.once('end', () => resolve(undefined));
    input.once('error', reject);
  });
}
