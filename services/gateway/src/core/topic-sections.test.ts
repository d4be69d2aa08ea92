import { decodeRawFrame, encodeRawFrame, LIMITS, type RawMeta } from '@eyrie/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupSections } from './pack.ts';
import { type TopicRecord, topicSections } from './topic-sections.ts';

const meta = { tenant: 't1', cluster: 'c1', received_at: 1, origin: 'topic' } as RawMeta;
const from = { topic: 'falco', partition: 3 };
const BOUND = 1_000;

interface Found {
  readonly offset: number;
  readonly text: string;
  readonly header: string | undefined;
  readonly whole: number;
}

/** What a reader of the frames finds: every line with the record it comes from. */
function read(records: readonly TopicRecord[], eventBytes = BOUND): Found[] {
  return groupSections(topicSections(records, meta, from, eventBytes)).flatMap((group) =>
    decodeRawFrame(encodeRawFrame(group)).flatMap(({ meta: own, lines }) =>
      lines.map((line, index) => {
        const { first = -1, last = -1 } = own.record ?? {};
        expect(own.record).toMatchObject(from);
        expect(first === last || last - first + 1 === lines.length).toBe(true);
        return {
          offset: first === last ? first : first + index,
          text: line.toString('utf8'),
          header: own.header_cluster,
          whole: own.oversize?.find((one) => one.index === index)?.bytes ?? line.length,
        };
      }),
    ),
  );
}

const record = (offset: number, value: string | null, header?: string): TopicRecord => ({
  offset,
  value: value === null ? null : Buffer.from(value),
  header,
});

describe('records of a topic as lines', () => {
  it('keeps each in order, with its record, over gaps, headers and bounds', () => {
    const one = fc.record({
      gap: fc.constantFrom(0, 0, 0, 1, 5),
      value: fc.option(fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' '))),
      header: fc.constantFrom(undefined, undefined, 'east', 'west'),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), (made) => {
        let offset = 0;
        const records = made.map(({ gap, value, header }) => {
          offset += 1 + gap;
          return record(offset, value, header);
        });
        expect(read(records).map(({ offset: at, text, header }) => [at, text, header])).toEqual(
          records.map(({ offset: at, value, header }) => [at, value?.toString('utf8') ?? '', header]),
        );
      }),
    );
  });

  it('makes few sections of many records, and frames of their size', () => {
    const records = Array.from({ length: 5_000 }, (_, i) => record(i, 'x'.repeat(900)));
    const sections = topicSections(records, meta, from, BOUND);
    expect(sections.length).toBe(Math.ceil(5_000 / Math.floor(LIMITS.frameBytes / 901)));
    expect(read(records)).toHaveLength(5_000);
  });

  it('keeps the head of what is too long, and says what it was', () => {
    const long = 'y'.repeat(100_000);
    const found = read([record(1, 'a'), record(2, long), record(3, 'b')]);
    expect(found.map(({ text, whole }) => [text.length, whole])).toEqual([
      [1, 1],
      [LIMITS.deadLetterBytes, 100_000],
      [1, 1],
    ]);
  });

  it.each([
    ['lines', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}']],
    ['a list', '[{"a":1},\n{"a":2}]', ['{"a":1}', '{"a":2}']],
    ['an event for people', '{\n  "a": 1\n}\n', ['{   "a": 1 }']],
    ['a newline at the end', '{"a":1}\n', ['{"a":1}']],
    ['half a list', '[{"a":1},\n', ['[{"a":1},']],
    ['text', 'one\ntwo', ['one two']],
  ])('cuts a record that holds %s', (_what, value, lines) => {
    const found = read([record(6, 'before'), record(7, value, 'east'), record(8, 'after')]);
    expect(found.map(({ offset, text }) => [offset, text])).toEqual([
      [6, 'before'],
      ...lines.map((line) => [7, line]),
      [8, 'after'],
    ]);
  });

  it('takes no room for a header that is no name', () => {
    const [found] = read([record(1, 'a', 'z'.repeat(100_000))]);
    expect(found?.header).toHaveLength(64);
  });
});
