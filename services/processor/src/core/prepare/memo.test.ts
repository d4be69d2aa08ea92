import { env } from 'node:process';
import type { RawMeta } from '@eyrie/schemas';
import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SOURCES } from '../../sources/index.ts';
import { createMemos, type Memos } from './memo.ts';
import { type Prepared, prepareLine } from './prepare-line.ts';

const RUNS = 150 * Number(env['EYRIE_TEST_RUNS'] ?? 1);

interface Posted {
  readonly line: string;
  readonly tenant: string;
  readonly cluster: string;
}

function prepare({ line, tenant, cluster }: Posted, memos: Memos): Prepared {
  const meta = { tenant, cluster, received_at: 1_800_000_000_000, origin: 'http', lines: 1 } as RawMeta;
  const position = { log: 'l', partition: 0, offset: 0, index: 0 };
  return prepareLine({ line: Buffer.from(line), meta, index: 0, position }, { sources: SOURCES, memos });
}

const value = fc.oneof(
  fc.constantFrom(
    'sh -c id',
    '/tmp/x.aB3dE9',
    '<NA>',
    '',
    'a\u001fb',
    '1234567890123456789',
    'é"\\',
    null,
    -1,
    0,
    true,
  ),
  fc.array(fc.constantFrom('a', 'b', '1'), { maxLength: 3 }),
);
const FIELDS = ['proc.cmdline', 'proc.name', 'fd.name', 'proc.aname[2]', 'proc.aname_2', 'k8s.ns.name', 'github.org'];

/** Lines of few rules, tenants and sources, so that what is remembered of one meets the next. */
const posted = fc
  .record({
    base: fc.constantFrom(...Object.values(FALCO_LINES).filter((line) => line.startsWith('{"') && line.endsWith('}'))),
    rule: fc.option(fc.constantFrom('one', 'two'), { nil: undefined }),
    changes: fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 3 }),
    backwards: fc.boolean(),
    tags: fc.option(fc.array(fc.constantFrom('T1059', 'mitre_execution', 'shell', '')), { nil: undefined }),
    tenant: fc.constantFrom('t1', 't2'),
    cluster: fc.constantFrom('c1', 'c2'),
  })
  .map(({ base, rule, changes, backwards, tags, tenant, cluster }): Posted => {
    const event = JSON.parse(base) as Record<string, unknown> & { output_fields?: Record<string, unknown> };
    const fields = Object.entries({ ...event.output_fields, ...changes });
    const output_fields = Object.fromEntries(backwards ? fields.reverse() : fields);
    const line = { ...event, output_fields, ...(rule !== undefined && { rule }), ...(tags !== undefined && { tags }) };
    return { line: JSON.stringify(line), tenant, cluster };
  });
const histories = fc.array(posted, { minLength: 1, maxLength: 30 });

/** The first line that comes out differently for what was remembered before it. */
function difference(history: readonly Posted[], memos: Memos): Posted | undefined {
  return history.find((one) => JSON.stringify(prepare(one, memos)) !== JSON.stringify(prepare(one, createMemos())));
}

describe('what prepare remembers', () => {
  it('changes no result', () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(difference(history, createMemos())).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it('would be found out: a mask of another text, a field taken for no content', () => {
    const isFound = (spoil: (memos: Memos) => void) =>
      fc.sample(histories, { numRuns: 50, seed: 7 }).some((history) => {
        const memos = createMemos();
        spoil(memos);
        return difference(history, memos) !== undefined;
      });
    expect(isFound(() => {})).toBe(false);
    expect(
      isFound(({ habits }) => {
        const masks = Array.from({ length: 5 }, () => ({ raw: 'sh -c id', masked: 'other' }));
        habits.set('one', { source: 'syscall', order: [], labels: undefined, masks, origin: undefined });
      }),
    ).toBe(true);
    expect(
      isFound((memos) => {
        // One name for two origins.
        memos.origins.set = (_key, origin) => ({ ...origin, name: '1\u001f' });
      }),
    ).toBe(true);
    expect(
      isFound(({ fieldNames }) => {
        fieldNames.set('proc.cmdline', { key: 'proc.cmdline', name: 'proc.cmdline', content: false });
      }),
    ).toBe(true);
  });
});
