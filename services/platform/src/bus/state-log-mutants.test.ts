import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKv } from './kv.ts';
import { history, runHistory, type Subject } from './state-log.test-support.ts';

/** Planted bugs: a text of one file, and what stands there instead. Each must be found by the naive map. */
const MUTANTS: readonly (readonly [name: string, file: string, text: string, instead: string])[] = [
  ['an aborted step stays in memory', 'state-index.ts', 'this.#swap(key, this.#places.get(key), before);', 'void key;'],
  ['an abort is undone in the wrong order', 'state-index.ts', 'this.#undo.reverse()', 'this.#undo'],
  [
    'a later abort undoes committed steps',
    'state-index.ts',
    'this.#committed = { ...this.#now };\n    this.#settle();',
    '',
  ],
  ['blocks an aborted step removed stay removed', 'state-index.ts', 'block.isRemoved = false;', ''],
  [
    'the newest block is cleaned first',
    'state-index.ts',
    'of this.#blocks.values())',
    'of [...this.#blocks.values()].slice(0, -1).reverse())',
  ],
  [
    'a block of tombstones goes at once',
    'state-index.ts',
    'after.block.newest += 1;',
    'if (after.bytes > 0) after.block.newest += 1;',
  ],
  ['no tombstone is written', 'state-log.ts', '&& (index.get(key)?.bytes ?? 0) === 0', ''],
  [
    'cleaning forgets what still counts',
    'state-log.ts',
    'if (bytes > 0) add(key, valueAt(stored, at));',
    'if (bytes > 30) add(key, valueAt(stored, at));',
  ],
  ['the first entry of a key in a block counts too', 'state-index.ts', 'place.at === at && ', ''],
];

const home = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'eyrie-state-mutants-'));
const kv = openKv(join(folder, 'log'), { sync: false, mapBytes: 1024 ** 3 });
let partition = 0;

async function plant(name: string, file: string, text: string, instead: string): Promise<Subject> {
  const copy = join(folder, name, 'bus');
  mkdirSync(copy, { recursive: true });
  copyFileSync(join(home, '../errors.ts'), join(copy, '../errors.ts'));
  for (const each of ['keys.ts', 'kv.ts', 'lmdb-file.ts', 'state-block.ts', 'state-index.ts', 'state-log.ts']) {
    const source = readFileSync(join(home, each), 'utf8');
    if (each === file) expect(source.split(text).length, `${file} must hold the text once`).toBe(2);
    writeFileSync(join(copy, each), each === file ? source.replace(text, () => instead) : source);
  }
  return (await import(/* @vite-ignore */ pathToFileURL(join(copy, 'state-log.ts')).href)) as Subject;
}

function check(subject: Subject, numRuns: number) {
  return fc.check(
    fc.property(history, (moves) => {
      partition += 1;
      runHistory(subject, kv, partition, moves);
    }),
    { numRuns, seed: 20, endOnFailure: true },
  );
}

beforeAll(() => symlinkSync(resolve(home, '../../../../node_modules'), join(folder, 'node_modules')));
afterAll(async () => {
  await kv.close();
  rmSync(folder, { recursive: true });
});

test.each(MUTANTS.map((mutant, number) => [...mutant, number] as const))(
  'found: %s',
  async (_, file, text, instead, number) => {
    const result = check(await plant(`mutant-${number}`, file, text, instead), 2_000);
    // Found by comparing, or because the mutant misses a block of its own.
    expect(String(result.errorInstance)).toMatch(/differ|is missing/);
  },
);

test('nothing is found in a copy without a bug', async () => {
  expect(check(await plant('none', 'keys.ts', "kind: 'b' | 'l'", "kind: 'b' | 'l'"), 100).failed).toBe(false);
});
