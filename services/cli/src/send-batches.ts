import { readBlocks } from './lines.ts';

/** Whole lines to post together, and where in the file they end. */
export interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  /** Bytes of the (unpacked) file up to the end of the batch. */
  readonly end: number;
}

const NEWLINE = 10;

/** Lines of a file from a byte on, in batches of at most so many lines and about so many bytes. */
export async function* readBatches(
  file: string,
  from: number,
  bound: { readonly lines: number; readonly bytes: number },
): AsyncGenerator<Batch> {
  let read = 0;
  let at = 0;
  for await (const block of readBlocks([file], (bytes) => {
    read += bytes;
  })) {
    const start = Math.max(0, Math.min(block.bytes.length, from - at));
    // A last line without newline was given one: that byte is not in the file.
    for (const batch of at + start < read ? cut(block.bytes, start, bound) : []) {
      yield { ...batch, end: Math.min(at + batch.end, read) };
    }
    at += block.bytes.length;
  }
}

export function* cut(
  block: Buffer,
  from: number,
  bound: { readonly lines: number; readonly bytes: number },
): Generator<Batch> {
  let start = from;
  while (start < block.length) {
    let lines = 0;
    let end = start;
    while (end < block.length && lines < bound.lines) {
      const next = block.indexOf(NEWLINE, end) + 1;
      if (lines > 0 && next - start > bound.bytes) break;
      end = next;
      lines += 1;
    }
    yield { bytes: block.subarray(start, end), lines, end };
    start = end;
  }
}
