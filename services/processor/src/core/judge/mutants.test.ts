import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { history, type Judge, runHistory } from './history.test-support.ts';

/** Planted bugs: a text of one file, and what stands there instead. Each must be found by the naive model. */
const MUTANTS: readonly (readonly [name: string, file: string, text: string, instead: string])[] = [
  ['the window ends one nanosecond late', 'windows.ts', 'time < record.end', 'time <= record.end'],
  [
    'the nearest anchor loses against the latest',
    'windows.ts',
    'alert.opened_at < other.opened_at ||',
    'alert.opened_at > other.opened_at ||',
  ],
  ['a window behind is preferred', 'windows.ts', 'return forward ?? backward', 'return backward ?? forward'],
  ['merged alerts take events', 'windows.ts', "record.isEnded || record.alert.state === 'merged'", 'record.isEnded'],
  ['a merge takes the targets along with their counts', 'targets.ts', 'count: 0 }', 'count: target.count }'],
  ['a merge keeps the younger alert', 'refining.ts', 'byAge(draw, other) < 0', 'byAge(draw, other) > 0'],
  [
    'a dismissal is forgotten for new windows',
    'opening.ts',
    'dismissal !== undefined && !rises && !hasFloor',
    'dismissal !== undefined && rises && !hasFloor',
  ],
  [
    'a floor does not break through a dismissal',
    'folding.ts',
    'hasNewFloor || priorityRank(event.priority) > hidden.dismissed',
    'priorityRank(event.priority) > hidden.dismissed',
  ],
  ['the redelivery memory is not restored', 'changes.ts', 'state.seen.restore(', 'void ('],
  [
    'counters are lost at a restart',
    'changes.ts',
    "else if (kind === 'n') counters.set(name, value);",
    "else if (kind === 'n') return;",
  ],
  [
    'targets added since are lost at a restart',
    'changes.ts',
    "else if (kind === 't') added.set(name, value);",
    "else if (kind === 't') return;",
  ],
  [
    'an alert that is woken forgets its counters',
    'handle.ts',
    'return asleep.counters === undefined ? record : applyCounters(record, asleep.counters, this.moved);',
    'return record;',
  ],
  [
    'an alert asleep closes at the end of its window without the grace',
    'evolve.ts',
    'msOfNanos(addMs(head.end, options.graceMs))',
    'msOfNanos(head.end)',
  ],
  [
    'a woken alert forgets which targets stand in the whole record',
    'handle.ts',
    'this.wholeTargets = record.alert.targets.length;',
    '',
  ],
  [
    'a restore drops the targets',
    'codec.ts',
    'targets_more, targets, version, change, updated_at, documents_version };',
    'targets_more, version, change, updated_at, documents_version };',
  ],
  ['a clamped stamp moves the watermark', 'judge.ts', 'event.clamped === true', 'event.clamped === undefined && false'],
  [
    'a remembered list outlives the alerts of its fingerprint',
    'places.ts',
    'if (spot.handles.length === 0)',
    'if (spot.handles === NO_HANDLES)',
  ],
  ['a repeat is taken after the window', 'repeating.ts', 'event.time >= record.end', 'event.time > record.end'],
  ['a repeat by another user is as any', 'repeating.ts', '!record.users.includes(user)', 'record.users.includes(user)'],
  ['a repeat tells no worse score', 'repeating.ts', 'worseScore(held, score) === held', 'held !== undefined'],
  [
    'a repeat is counted for another target',
    'repeating.ts',
    'alert.targets[spot.target]?.key !== key',
    'spot.target < 0',
  ],
  ['the storm guard holds back Critical', 'storm.ts', '>= CRITICAL', '> 9'],
  [
    'a silence that ended tells nobody',
    'due.ts',
    "draft.publish(draw, { ...next, alert: { ...next.alert, notify: true } }, 'silence_ended')",
    'draft.replace(draw, next)',
  ],
  ['moves between columns are not counted for the alert of a verdict', 'draft.ts', 'was === is', 'was === is || true'],
];

const home = import.meta.dirname;
const root = resolve(home, '../../../../..');
const folder = mkdtempSync(join(tmpdir(), 'eyrie-mutants-'));

async function plant(name: number, file: string, text: string, instead: string): Promise<Judge> {
  const copy = join(folder, `mutant-${name}`);
  cpSync(home, copy, { recursive: true, filter: (path) => !/\.(test|test-support)\.ts$/.test(path) });
  const source = readFileSync(join(copy, file), 'utf8');
  expect(source.split(text).length, `${file} must hold the text once`).toBe(2);
  writeFileSync(
    join(copy, file),
    source.replace(text, () => instead),
  );
  return (await import(/* @vite-ignore */ pathToFileURL(join(copy, 'judge.ts')).href)) as Judge;
}

beforeAll(() => {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const shared of ['words.ts', 'generations.ts']) cpSync(join(home, '..', shared), join(folder, shared));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the naive model finds planted bugs', () => {
  it.each(MUTANTS.map((mutant, number) => [...mutant, number] as const))(
    '%s',
    async (_, file, text, instead, number) => {
      const mutant = await plant(number, file, text, instead);
      const result = fc.check(
        fc.property(history, (moves) => {
          checkAll(mutant, moves);
        }),
        { numRuns: 4_000, seed: 20, endOnFailure: true },
      );
      // Found by comparing, not by a copy that cannot run.
      expect(String(result.errorInstance)).toMatch(/differ/);
    },
    120_000,
  );

  it('finds nothing in a copy without a bug', async () => {
    const copy = await plant(99, 'windows.ts', 'forward ?? backward', 'forward ?? backward');
    const result = fc.check(
      fc.property(history, (moves) => checkAll(copy, moves)),
      { numRuns: 300, seed: 20 },
    );
    expect(result.failed).toBe(false);
  }, 120_000);
});

function checkAll(judge: Judge, moves: Parameters<typeof runHistory>[1]): void {
  const { held, changelog } = runHistory(judge, moves);
  for (const [key, value] of changelog) {
    if (!key.startsWith('count/')) continue;
    const row = JSON.parse(value.toString()) as { suppressed: number };
    const hidden = held.filter(
      (alert) => key.startsWith(`count/${alert.tenant}/`) && alert.disposition === 'suppressed',
    );
    if (row.suppressed !== hidden.length) throw new Error('counts and list differ');
  }
}
