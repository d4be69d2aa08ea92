import { createHash } from 'node:crypto';
import { LIMITS, type RawMeta, type RawSection } from '@eyrie/schemas';
import { cutBody } from './lines.ts';
import { joinLines, NEWLINE } from './scan.ts';

export interface TopicRecord {
  readonly offset: number;
  /** Null or empty: a blank line. */
  readonly value: Buffer | null;
  /** The cluster its header names, where there is such a header. */
  readonly header: string | undefined;
}

type SectionMeta = Omit<RawMeta, 'lines' | 'oversize' | 'record' | 'header_cluster'>;

/** A name has 63 characters at most: what is longer stays no name, and takes no room. */
const HEADER_CHARS = 64;
/** Lines of one record, where it holds several. */
const RECORD_LINES = 10_000;
const EMPTY = Buffer.alloc(0);

/**
 * Packs records, in order, in sections small enough for a frame. A section holds a run of records of one line each, so that
 * the record of every line is known, or the lines of one record. Nothing is read here: `prepare` says what a line is.
 */
export function topicSections(
  records: readonly TopicRecord[],
  meta: SectionMeta,
  from: { readonly topic: string; readonly partition: number },
  eventBytes: number,
): readonly RawSection[] {
  const sections: RawSection[] = [];
  let run = new Run();
  const end = () => {
    if (run.lines.length > 0) sections.push(run.section(meta, from));
    run = new Run();
  };
  for (const { offset, value, header } of records) {
    const line = withoutEnd(value ?? EMPTY);
    if (line.includes(NEWLINE)) {
      end();
      for (const one of linesOf(line)) {
        if (run.bytes > 0 && run.bytes + one.length > LIMITS.frameBytes) end();
        run.add(offset, one, header, eventBytes);
      }
      end();
    } else {
      if (!run.goesOnWith(offset, line, header)) end();
      run.add(offset, line, header, eventBytes);
    }
  }
  end();
  return sections;
}

/** A value of several lines holds several events, or one that was written for people. */
function linesOf(value: Buffer): readonly Buffer[] {
  const body = Buffer.concat([value, Buffer.from([NEWLINE])]);
  const cut = cutBody(Buffer.from(body), 'json', RECORD_LINES);
  if (cut.ok) {
    const { body: cutUp, starts, ends } = cut.lines;
    return starts.map((start, i) => cutUp.subarray(start, ends[i]));
  }
  // No events: kept as one line all the same, which says so later.
  joinLines(body, 0, value.length);
  return [body.subarray(0, value.length)];
}

function withoutEnd(value: Buffer): Buffer {
  return value[value.length - 1] === NEWLINE ? value.subarray(0, -1) : value;
}

class Run {
  readonly lines: Buffer[] = [];
  /** With the newline that ends each. */
  bytes = 0;
  #first = 0;
  #last = -1;
  #header: string | undefined;
  readonly #oversize: { index: number; bytes: number; sha256: string }[] = [];

  goesOnWith(offset: number, line: Buffer, header: string | undefined): boolean {
    if (this.lines.length === 0) return true;
    return offset === this.#last + 1 && header === this.#header && this.bytes + line.length <= LIMITS.frameBytes;
  }

  add(offset: number, line: Buffer, header: string | undefined, eventBytes: number): void {
    if (this.lines.length === 0) this.#first = offset;
    this.#last = offset;
    this.#header = header;
    let kept = line;
    if (line.length > eventBytes) {
      // Of a line over the bound only the head is kept.
      kept = line.subarray(0, LIMITS.deadLetterBytes);
      const sha256 = createHash('sha256').update(line).digest('hex');
      this.#oversize.push({ index: this.lines.length, bytes: line.length, sha256 });
    }
    this.lines.push(kept);
    this.bytes += kept.length + 1;
  }

  section(meta: SectionMeta, from: { readonly topic: string; readonly partition: number }): RawSection {
    const block = Buffer.allocUnsafe(this.bytes);
    let at = 0;
    for (const line of this.lines) {
      at += line.copy(block, at);
      block[at] = NEWLINE;
      at += 1;
    }
    return {
      meta: {
        ...meta,
        ...(this.#header !== undefined && { header_cluster: this.#header.slice(0, HEADER_CHARS) }),
        record: { ...from, first: this.#first, last: this.#last },
        lines: this.lines.length,
        ...(this.#oversize.length > 0 && { oversize: this.#oversize }),
      },
      block,
    };
  }
}
