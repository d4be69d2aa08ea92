import { expect, it } from 'vitest';
import { decodeNote, encodeNote } from './note.ts';

const range = { topic: 'judged', min: 3, max: 7 } as const;

it('comes back as it was noted', () => {
  for (const note of [{ log: 'a' }, { log: 'a', range }, { log: 'a', until: 9 }, { log: 'a', range, until: 9 }]) {
    expect(decodeNote('judged', encodeNote(note))).toEqual(note);
  }
});

it('reads what version 1 noted, and nothing where nothing is', () => {
  expect(decodeNote('judged', '{"min":3,"max":7}')).toEqual({ range });
  expect(decodeNote('judged', undefined)).toEqual({});
  expect(decodeNote('judged', '')).toEqual({});
});

it.each(['{"v":3,"log":"a"}', '{"v":2}', '{"v":2,"log":"a","min":3}', '{"v":2,"log":"a","until":"x"}', '{}', 'x'])(
  'refuses %s',
  (text) => {
    expect(() => decodeNote('judged', text)).toThrow();
  },
);
