import type { LineReading } from './falco/event.ts';
import { FrameError, FrameReader, FrameWriter } from './frame.ts';
import type { ClusterId, TenantId } from './ids.ts';
import { isRawMeta } from './raw-meta.ts';

/** What the gateway knows of the lines that follow in a raw frame: one post, or the part of it in this frame. */
export interface RawMeta {
  readonly tenant: TenantId;
  /** A cluster, or `*`: each event must name its own. */
  readonly cluster: ClusterId | '*';
  /** Cluster given by header, for tokens with `*`. */
  readonly header_cluster?: string;
  /** For `*`: the field of events that names it, before the usual ones. */
  readonly cluster_field?: string;
  /** Milliseconds. */
  readonly received_at: number;
  /** `heartbeat`: our own proof of life, of which no sensor knows. */
  readonly origin: 'http' | 'file' | 'topic' | 'heartbeat';
  readonly lines: number;
  /** The tenant was beyond its soft rate when these came: stored and folded as any, told less. */
  readonly over_quota?: true;
  /** Lines kept only in part because they were too long: index within the section, true length in bytes, SHA-256 (hex). */
  readonly oversize?: readonly { readonly index: number; readonly bytes: number; readonly sha256: string }[];
  /** From a topic that is not ours: each line is the record at `first` plus its index, or all are of that one record. */
  readonly record?: {
    readonly topic: string;
    readonly partition: number;
    readonly first: number;
    readonly last: number;
  };
  /** Agents: whose file and where it goes on, so that a repeat is known for good. */
  readonly cursor?: { readonly agent: string; readonly file: string; readonly start: number; readonly end: number };
}

/** One section of a raw frame. `block` holds the lines, each ended by a newline. */
export interface RawSection {
  readonly meta: RawMeta;
  readonly block: Buffer;
  /** What was read of each line, for a reader in the same process; undefined where a line was not read. Not encoded. */
  readonly readings?: readonly (LineReading | undefined)[];
}

/** A writer that is used again saves its buffer. */
export function encodeRawFrame(sections: readonly RawSection[], writer = new FrameWriter('raw')): Buffer {
  for (const { meta, block } of sections) {
    writer.add(JSON.stringify(meta));
    writer.addBlock(block, 0);
  }
  return writer.finish();
}

/** Sections with their lines (views of the record). @throws FrameError */
export function decodeRawFrame(value: Buffer): { meta: RawMeta; lines: Buffer[] }[] {
  const reader = new FrameReader(value, 'raw');
  const sections = [];
  for (let s = 0; s < reader.entries; s += 1) {
    const meta = parseMeta(reader.nextText(), value.length);
    const lines = new Array<Buffer>(meta.lines);
    for (let i = 0; i < meta.lines; i += 1) lines[i] = reader.next();
    sections.push({ meta, lines });
  }
  return sections;
}

/** Each line takes a byte at least: more lines than bytes are none. */
function parseMeta(text: string, linesMax: number): RawMeta {
  let meta: unknown;
  try {
    meta = JSON.parse(text);
  } catch {
    throw new FrameError('unreadable', 'raw section without meta data');
  }
  if (!isRawMeta(meta, linesMax)) throw new FrameError('unreadable', 'raw section with meta data of no gateway');
  return meta;
}
