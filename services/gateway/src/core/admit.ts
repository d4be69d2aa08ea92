import { createHash } from 'node:crypto';
import { LIMITS, type LineReading, type RawMeta, type RawSection } from '@eyrie/schemas';
import type { Lines } from './lines.ts';

interface Rejected {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

/** What becomes of a body: the sections to store, every line in them, and what to answer. */
export interface Admission {
  readonly sections: readonly RawSection[];
  readonly accepted: number;
  readonly rejected: readonly Rejected[];
  /** Rejected lines beyond those listed. */
  readonly rejectedMore: number;
  /** Blank lines: stored, and neither accepted nor rejected. */
  readonly blank: number;
  readonly bytes: number;
}

export interface AdmitOptions {
  readonly eventBytes: number;
  /** How many rejected lines the answer lists. */
  readonly listed: number;
  /** Keeps what was read of each line for the next stage, in about as much memory again. */
  readonly handsOn: boolean;
}

type SectionMeta = Omit<RawMeta, 'lines' | 'oversize'>;
type Check = (line: Buffer, meta: SectionMeta) => LineReading;

/** Checks every line and packs all of them, good and bad, in sections small enough for a frame. */
export function admit(lines: Lines, meta: SectionMeta, check: Check, options: AdmitOptions): Admission {
  const { body, starts, ends } = lines;
  const rejected: Rejected[] = [];
  let accepted = 0;
  let rejectedMore = 0;
  let blank = 0;
  const refuse = (index: number, code: string, message: string) => {
    if (rejected.length < options.listed) rejected.push({ index, code, message });
    else rejectedMore += 1;
  };
  const sections = new SectionWriter(body, meta);
  for (let index = 0; index < starts.length; index += 1) {
    const start = starts[index] ?? 0;
    const end = ends[index] ?? 0;
    if (end - start > options.eventBytes) {
      refuse(index, 'line_too_long', `the event has ${end - start} bytes; at most ${options.eventBytes} are taken`);
      sections.addOversize(start, end);
      continue;
    }
    const reading = check(body.subarray(start, end), meta);
    sections.add(start, end, options.handsOn && isPlain(reading) ? reading : undefined);
    if (reading.ok) accepted += 1;
    else if (reading.code === 'blank') blank += 1;
    else refuse(index, reading.code, reading.message);
  }
  return { sections: sections.finish(), accepted, rejected, rejectedMore, blank, bytes: sections.bytes };
}

/** Collects lines as runs of the body, so that a body of lines is copied once, as a block. */
class SectionWriter {
  readonly #body: Buffer;
  readonly #meta: SectionMeta;
  readonly #sections: RawSection[] = [];
  #runs: Buffer[] = [];
  #runStart = -1;
  #runEnd = -1;
  #readings: (LineReading | undefined)[] = [];
  #lines = 0;
  #sectionBytes = 0;
  #oversize: { index: number; bytes: number; sha256: string }[] = [];
  bytes = 0;

  constructor(body: Buffer, meta: SectionMeta) {
    this.#body = body;
    this.#meta = meta;
  }

  /** A line of the body; its newline stands at `end`. */
  add(start: number, end: number, reading: LineReading | undefined): void {
    this.#reserve(end + 1 - start);
    this.#readings.push(reading);
    if (start !== this.#runEnd) {
      this.#endRun();
      this.#runStart = start;
    }
    this.#runEnd = end + 1;
  }

  /** Of a line over the bound only the head is kept. */
  addOversize(start: number, end: number): void {
    this.#endRun();
    const line = this.#body.subarray(start, end);
    const head = line.subarray(0, LIMITS.deadLetterBytes);
    this.#reserve(head.length + 1);
    this.#readings.push(undefined);
    this.#oversize.push({ index: this.#lines - 1, bytes: line.length, sha256: sha256(line) });
    this.#runs.push(head, NEWLINE);
  }

  finish(): readonly RawSection[] {
    this.#endSection();
    return this.#sections;
  }

  #reserve(bytes: number): void {
    if (this.#sectionBytes > 0 && this.#sectionBytes + bytes > LIMITS.frameBytes) this.#endSection();
    this.#sectionBytes += bytes;
    this.bytes += bytes;
    this.#lines += 1;
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart) this.#runs.push(this.#body.subarray(this.#runStart, this.#runEnd));
    this.#runStart = -1;
    this.#runEnd = -1;
  }

  #endSection(): void {
    this.#endRun();
    if (this.#lines === 0) return;
    const oversize = this.#oversize.length > 0 ? { oversize: this.#oversize } : {};
    const block = this.#runs.length === 1 ? this.#runs[0] : undefined;
    this.#sections.push({
      meta: { ...this.#meta, lines: this.#lines, ...oversize },
      block: block ?? Buffer.concat(this.#runs),
      readings: this.#readings,
    });
    this.#runs = [];
    this.#readings = [];
    this.#oversize = [];
    this.#lines = 0;
    this.#sectionBytes = 0;
  }
}

const NEWLINE = Buffer.from('\n');

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const FIELDS_MAX = 128;
const ITEMS_MAX = 16;

/** True for what takes about as much memory as its line; nested or countless values take twenty times as much. */
function isPlain(reading: LineReading): boolean {
  if (!reading.ok) return true;
  const fields = reading.falco.output_fields;
  let count = 0;
  for (const name in fields) {
    count += 1;
    if (count > FIELDS_MAX || !isPlainValue(fields[name])) return false;
  }
  return true;
}

function isPlainValue(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Array.isArray(value) && value.length <= ITEMS_MAX && value.every((item) => typeof item !== 'object');
}
