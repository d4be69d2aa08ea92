import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { CompressionTypes as CompressionType } from 'kafkajs';
import { decompressBound, decompressFrame, compress as lz4Compress, makeBuffer } from 'lz4js';
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappyjs';
import { CompressionCodecs, CompressionTypes } from './internals.ts';
import type { Compression } from './settings.ts';

/** A batch has 2 MiB at most where it lies; one that opens to more than this is refused before it fills the memory. */
const MAX_OPENED_BYTES = 64 * 1024 * 1024;
/** More costs time and saves little on events. */
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 1;
/** Java's framing of snappy: this, two versions, then blocks with their lengths. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER_BYTES = 16;
/** Node's own code for it. */
const TOO_LARGE = 'ERR_BUFFER_TOO_LARGE';
/** Of its message. */
const SNAPPY_BOUND = 'The uncompressed length of ';

const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  zstd: CompressionTypes.ZSTD,
} as const;
/** Below, handing the work to another thread and back takes longer than the work. */
const CLOSED_HERE_BYTES = 64 * 1024;
const OPENED_HERE_BYTES = 4 * 1024;
/**
 * What comes out is handed over in pieces of this size, each allocated whole. In the default of 16 KiB 1 MiB of events takes
 * 2.4 ms instead of 0.5; 1 MiB for a batch of 3 kB takes 84 µs of CPU instead of 24.
 */
const CHUNK_BYTES = 1024 * 1024;
const LEAST_CHUNK_BYTES = 4 * 1024;
/** Most batches open to less. */
const USUAL_RATIO = 16;
const ZSTD_PARAMS = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };

/** Ours for all of them: the library has gzip alone, without a bound. */
const gzipLevel = { level: GZIP_LEVEL };
const GZIP = codec(
  (opened) => (isShort(opened) ? gzipSync(opened, gzipLevel) : promisify(gzip)(opened, gzipLevel)),
  (closed) =>
    isShortClosed(closed) ? gunzipSync(closed, openingOf(closed)) : promisify(gunzip)(closed, openingOf(closed)),
);
const SNAPPY = codec((opened) => snappyCompress(opened), openSnappy);
/** A batch takes a millisecond: another thread would cost more than it saves. */
const ZSTD = codec(
  (opened) => zstdCompressSync(opened, { params: ZSTD_PARAMS, chunkSize: chunkOf(opened.length, CHUNK_BYTES / 4) }),
  (closed) => zstdDecompressSync(closed, openingOf(closed)),
);
/** Read, because other programs write it; never written. */
const LZ4 = codec((opened) => Buffer.from(lz4Compress(opened)), openLz4);
const CODECS: ReadonlyMap<CompressionType, Codec> = new Map([
  [CompressionTypes.GZIP, GZIP],
  [CompressionTypes.Snappy, SNAPPY],
  [CompressionTypes.ZSTD, ZSTD],
]);
CompressionCodecs[CompressionTypes.GZIP] = () => GZIP;
CompressionCodecs[CompressionTypes.Snappy] = () => SNAPPY;
CompressionCodecs[CompressionTypes.ZSTD] = () => ZSTD;
CompressionCodecs[CompressionTypes.LZ4] = () => LZ4;

export function compressionType(name: Compression): CompressionType {
  return TYPES[name];
}

/** @returns what was given, where it is not to be compressed */
export async function compress(type: CompressionType, opened: Buffer): Promise<Buffer> {
  return CODECS.get(type)?.compress({ buffer: opened }) ?? opened;
}

/** What a codec throws for a batch that would open to more than the bound. */
export function isTooLarge(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { readonly code?: unknown }).code === TOO_LARGE || error.message.startsWith(SNAPPY_BOUND);
}

type Turn = (bytes: Buffer) => Buffer | Promise<Buffer>;

interface Codec {
  readonly compress: (encoder: { readonly buffer: Buffer }) => Promise<Buffer>;
  readonly decompress: Turn;
}

function codec(close: Turn, open: Turn): Codec {
  return { compress: async ({ buffer }: { readonly buffer: Buffer }) => close(buffer), decompress: open };
}

function openingOf(closed: Buffer) {
  return { maxOutputLength: MAX_OPENED_BYTES, chunkSize: chunkOf(closed.length * USUAL_RATIO, CHUNK_BYTES) };
}

function chunkOf(expected: number, most: number): number {
  return Math.max(LEAST_CHUNK_BYTES, Math.min(most, expected));
}

function isShort(opened: Buffer): boolean {
  return opened.length < CLOSED_HERE_BYTES;
}

function isShortClosed(closed: Buffer): boolean {
  return closed.length < OPENED_HERE_BYTES;
}

/** Most producers announce blocks of 4 MiB for a few kB: room for all of it is made only where the usual ratio is not enough. */
function openLz4(closed: Buffer): Buffer {
  // Its types say that it returns nothing.
  const most = Number(decompressBound(closed));
  if (most > MAX_OPENED_BYTES) throw Object.assign(new Error('lz4 beyond the bound'), { code: TOO_LARGE });
  for (const room of [Math.min(most, closed.length * USUAL_RATIO), most]) {
    const opened = makeBuffer(room);
    // What does not fit is left out, and counted.
    const size = decompressFrame(closed, opened);
    if (size <= room) return Buffer.from(opened.buffer, opened.byteOffset, size);
  }
  throw new RangeError('lz4 with blocks longer than it says');
}

function openSnappy(closed: Buffer): Buffer {
  if (!closed.subarray(0, XERIAL.length).equals(XERIAL)) return snappyUncompress(closed, MAX_OPENED_BYTES);
  const blocks: Buffer[] = [];
  let left = MAX_OPENED_BYTES;
  for (let at = XERIAL_HEADER_BYTES; at < closed.length; ) {
    const length = closed.readInt32BE(at);
    const block = snappyUncompress(closed.subarray(at + 4, at + 4 + length), left);
    blocks.push(block);
    left -= block.length;
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}
