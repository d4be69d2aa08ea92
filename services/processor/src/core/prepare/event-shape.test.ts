import { isEvent, type RawMeta } from '@eyrie/schemas';
import { expect, it } from 'vitest';
import { SOURCES } from '../../sources/index.ts';
import { falcoFiles } from '../../testing/falco-files.ts';
import { createMemos } from './memo.ts';
import { prepareLine } from './prepare-line.ts';

it('whatever prepare makes of a line, the stages behind it take for an event', () => {
  const tools = { sources: SOURCES, memos: createMemos() };
  const meta = { tenant: 't1', cluster: 'c1', received_at: Date.UTC(2026, 0, 1), origin: 'http', lines: 1 } as RawMeta;
  const refused: unknown[] = [];
  let events = 0;
  for (const [index, line] of [...falcoFiles().values()].flat().entries()) {
    const position = { log: 'l', partition: 0, offset: 0, index };
    const prepared = prepareLine({ line, meta, index, position }, tools);
    if (prepared.kind !== 'event') continue;
    events += 1;
    const read: unknown = JSON.parse(JSON.stringify(prepared.event));
    if (!isEvent(read)) refused.push(read);
  }
  expect(refused).toEqual([]);
  expect(events).toBeGreaterThan(5);
});
