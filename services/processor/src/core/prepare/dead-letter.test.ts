import type { RawMeta } from '@eyrie/schemas';
import { expect, it } from 'vitest';
import { deadLetterOf } from './dead-letter.ts';

const position = { log: 'l', partition: 0, offset: 5, index: 3 };
const meta = { tenant: 't1', cluster: 'c1', received_at: 1, origin: 'topic', lines: 3 } as RawMeta;
const letter = (record: RawMeta['record'], index: number) => {
  const own = record === undefined ? meta : { ...meta, record };
  return deadLetterOf({ line: Buffer.from('x'), meta: own, index, position }, 'not_json', 'no event').message;
};

it('names the record of a line that came from a topic of another program', () => {
  const from = { topic: 'falco', partition: 2 };
  expect(letter({ ...from, first: 17, last: 19 }, 2)).toBe('no event (topic falco, partition 2, offset 19)');
  // Three lines of one record.
  expect(letter({ ...from, first: 17, last: 17 }, 2)).toBe('no event (topic falco, partition 2, offset 17)');
  expect(letter(undefined, 2)).toBe('no event');
});
