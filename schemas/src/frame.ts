import { FORMATS } from './versions.ts';

/**
 * Frames: many events in one log record, because a record costs far more than a line.
 *
 *     eyrie/<format> <kind> <entries>\n      then `entries` times the lines of one entry, each ended by \n
 *     raw     section: meta JSON, then the exact lines it announces
 *     events  entry: event JSON, raw line
 *     judged  entry: judgement JSON, event JSON, raw line
 *
 * Bytes pass through untouched: a stage that does not need a line never parses it.
 */
export type FrameKind = 'raw' | 'events' | 'judged';

export const LINES_PER_ENTRY = { raw: 1, events: 2, judged: 3 } as const satisfies Record<FrameKind, number>;

const NEWLINE = 10;

export type FrameErrorCode = 'newer_format' | 'unreadable';

export class FrameError extends Error {
  readonly code: FrameErrorCode;
  constructor(code: FrameErrorCode, message: string) {
    super(message);
    this.name = 'FrameError';
    this.code = code;
  }
}

/** Collects entries of one kind; `finish` gives the record value. Reusable: `finish` starts a new frame. */
export class FrameWriter {
  readonly #kind: FrameKind;
  #buffer: Buffer;
  #length = 0;
  #entries = 0;

  constructor(kind: FrameKind, initialBytes = 64 * 1024) {
    this.#kind = kind;
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes of entries so far (without the header). */
  get bytes(): number {
    return this.#length;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Adds one entry: LINES_PER_ENTRY lines without the newlines that end them, single or joined by newlines. */
  add(...lines: readonly (string | Buffer)[]): void {
    for (const line of lines) this.#line(line);
    this.#entries += 1;
  }

  /** Adds lines that stay as they are: `block` holds `entries` entries, each line ended by a newline. */
  addBlock(block: Buffer, entries: number): void {
    this.#reserve(block.length);
    block.copy(this.#buffer, this.#length);
    this.#length += block.length;
    this.#entries += entries;
  }

  finish(): Buffer {
    const header = `eyrie/${FORMATS.frame} ${this.#kind} ${this.#entries}\n`;
    const value = Buffer.allocUnsafe(header.length + this.#length);
    value.write(header, 0, 'latin1');
    this.#buffer.copy(value, header.length, 0, this.#length);
    this.#length = 0;
    this.#entries = 0;
    return value;
  }

  #line(line: string | Buffer): void {
    if (typeof line === 'string') {
      this.#reserve(line.length * 3 + 1);
      this.#length += this.#buffer.write(line, this.#length, 'utf8');
    } else {
      this.#reserve(line.length + 1);
      line.copy(this.#buffer, this.#length);
      this.#length += line.length;
    }
    this.#buffer[this.#length] = NEWLINE;
    this.#length += 1;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** A frame being read: lines by number, as bytes or text, without copying. */
export class FrameReader {
  readonly entries: number;
  readonly #value: Buffer;
  readonly #lines: number;
  #offset: number;

  /** @throws FrameError `newer_format` or `unreadable` */
  constructor(value: Buffer, kind: FrameKind) {
    const end = value.indexOf(NEWLINE);
    const header = /^eyrie\/(\d+) ([a-z]+) (\d+)$/.exec(end < 0 ? '' : value.toString('latin1', 0, Math.min(end, 64)));
    if (header === null) throw new FrameError('unreadable', 'record does not start with a frame header');
    if (Number(header[1]) > FORMATS.frame) {
      throw new FrameError('newer_format', `frame format ${header[1]} is newer than ${FORMATS.frame}`);
    }
    if (header[2] !== kind) throw new FrameError('unreadable', `expected a frame of ${kind}, found ${header[2]}`);
    this.entries = Number(header[3]);
    this.#lines = LINES_PER_ENTRY[kind];
    this.#value = value;
    this.#offset = end + 1;
  }

  /** The next line as a view of the record. @throws FrameError `unreadable` at the end */
  next(): Buffer {
    const start = this.#offset;
    return this.#value.subarray(start, this.#end(start));
  }

  /** The lines of the next entry in one piece, without the newline that ends the last. */
  entry(): Buffer {
    const start = this.#offset;
    this.skip(this.#lines);
    return this.#value.subarray(start, this.#offset - 1);
  }

  /** Passes over lines. */
  skip(lines: number): void {
    for (let i = 0; i < lines; i += 1) this.#end(this.#offset);
  }

  /** The next line as text. */
  nextText(): string {
    const start = this.#offset;
    return this.#value.toString('utf8', start, this.#end(start));
  }

  #end(start: number): number {
    const end = this.#value.indexOf(NEWLINE, start);
    if (end < 0) throw new FrameError('unreadable', 'frame ends inside an entry');
    this.#offset = end + 1;
    return end;
  }
}
