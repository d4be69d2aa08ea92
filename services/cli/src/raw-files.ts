import { createHash } from 'node:crypto';
import type { Bus, Output } from '@eyrie/platform/bus/bus';
import { type ClusterId, encodeRawFrame, LIMITS, type RawMeta, type TenantId } from '@eyrie/schemas';
import { readBlocks } from './lines.ts';

const NEWLINE = 10;
/** Bytes appended at once; bounds the memory of a replay, and is well within what stays in memory for `prepare`. */
const APPEND_BYTES = 2 * 1024 * 1024;

/** Puts the lines of files into the topic `raw`, as the gateway would. Gives the number of lines. */
export async function appendFiles(
  bus: Bus,
  files: readonly string[],
  owner: { tenant: TenantId; cluster: ClusterId; now: () => number; onBytes: (bytes: number) => void },
): Promise<number> {
  let lines = 0;
  let outputs: Output[] = [];
  let bytes = 0;
  const flush = async () => {
    if (outputs.length > 0) {
      await bus.waitForReaders('raw', 0);
      await bus.append(outputs);
    }
    outputs = [];
    bytes = 0;
  };
  for await (const block of readBlocks(files, owner.onBytes)) {
    lines += block.lines;
    for (const part of cutBlock(block.bytes)) {
      const meta: RawMeta = {
        tenant: owner.tenant,
        cluster: owner.cluster,
        received_at: owner.now(),
        origin: 'file',
        lines: part.lines,
        ...(part.oversize === undefined ? {} : { oversize: [part.oversize] }),
      };
      outputs.push({ topic: 'raw', partition: 0, value: encodeRawFrame([{ meta, block: part.bytes }]) });
      bytes += part.bytes.length;
    }
    if (bytes >= APPEND_BYTES) await flush();
  }
  await flush();
  return lines;
}

interface Part {
  readonly bytes: Buffer;
  readonly lines: number;
  readonly oversize?: { readonly index: number; readonly bytes: number; readonly sha256: string };
}

/** Parts of whole lines up to a frame; a line over the bound is a part of its own, kept in its first bytes. */
function* cutBlock(block: Buffer): Generator<Part> {
  let start = 0;
  let lines = 0;
  for (let at = 0; at < block.length; ) {
    const end = block.indexOf(NEWLINE, at) + 1;
    const isLong = end - at - 1 > LIMITS.eventBytes;
    if (lines > 0 && (isLong || end - start > LIMITS.frameBytes)) {
      yield { bytes: block.subarray(start, at), lines };
      start = at;
      lines = 0;
    }
    if (isLong) {
      const line = block.subarray(at, end - 1);
      yield {
        bytes: Buffer.concat([line.subarray(0, LIMITS.deadLetterBytes), Buffer.from('\n')]),
        lines: 1,
        oversize: { index: 0, bytes: line.length, sha256: createHash('sha256').update(line).digest('hex') },
      };
      start = end;
    } else lines += 1;
    at = end;
  }
  if (lines > 0) yield { bytes: block.subarray(start), lines };
}
