import type { TopicName } from '@eyrie/schemas';
import fc from 'fast-check';
import type { Kv } from './kv.ts';
import { BlockEncoder } from './state-block.ts';
import type { StateLog } from './state-log.ts';

/** The modules under test: the real ones, or copies with a planted bug. */
export interface Subject {
  readonly StateLog: typeof StateLog;
}

export type Changes = readonly (readonly [key: string, value: Buffer | null])[];

const TOPIC: TopicName = 'alert-state';
/** So small that a handful of changes fills blocks and begins cleaning. */
const SIZES = { blockBytes: 120, slackBytes: 200 };

const key = fc.constantFrom('', 'a', 'b', 'c', 'a/1', 'a/2', 'a/é', 'b/𝄞', 'd'.repeat(70));
const value = fc.option(
  fc.nat(60).map((length) => Buffer.alloc(length, length)),
  { freq: 3 },
);
const step = fc.array(fc.tuple(key, value), { maxLength: 6 });

/** Steps that share one transaction, and what becomes of it. */
export const history = fc.array(
  fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 3 }),
    fate: fc.constantFrom('commit', 'commit', 'commit', 'abort', 'retry', 'reopen'),
  }),
  { maxLength: 40 },
);
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const planned = new Error('planned');

/** Runs a history in a partition of its own; after each move memory, disk and a naive map must be the same. */
export function runHistory(subject: Subject, kv: Kv, partition: number, moves: History): void {
  const encoder = new BlockEncoder();
  const open = () => new subject.StateLog(kv, TOPIC, partition, encoder, SIZES);
  const model = new Map<string, Buffer>();
  let log = open();
  for (const { steps, fate } of moves) {
    if (fate === 'abort' || fate === 'retry') transact(kv, log, steps, true);
    if (fate === 'reopen') log = open();
    if (fate !== 'abort') {
      transact(kv, log, steps, false);
      for (const [name, content] of steps.flat()) {
        if (content === null) model.delete(name);
        else model.set(name, content);
      }
    }
    compare(log, model, open());
  }
}

function transact(kv: Kv, log: StateLog, steps: readonly Changes[], fails: boolean): void {
  try {
    kv.transact(() => {
      for (const changes of steps) log.write(changes);
      if (fails) throw planned;
    });
  } catch (error) {
    if (error !== planned) throw error;
    log.aborted();
    return;
  }
  log.committed();
}

function compare(log: StateLog, model: ReadonlyMap<string, Buffer>, fresh: StateLog): void {
  const expected = text(model);
  for (const [name, one] of Object.entries({ memory: log, disk: fresh })) {
    if (text(one.read('')) !== expected) throw new Error(`${name}: all values differ`);
    if (text(one.read('a/')) !== text([...model].filter(([k]) => k.startsWith('a/')))) {
      throw new Error(`${name}: values of a prefix differ`);
    }
    if (text(restored(one)) !== expected) throw new Error(`${name}: what is restored differs`);
  }
  if (JSON.stringify(log.size()) !== JSON.stringify(fresh.size())) throw new Error('sizes differ');
}

/** What `restore` gives, in portions of two or three blocks. */
export function restored(log: StateLog): (readonly [string, Buffer])[] {
  const found: (readonly [string, Buffer])[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const { entries, next } = log.portion(from, 300);
    found.push(...entries);
    from = next;
  }
  return found;
}

function text(entries: Iterable<readonly [string, Buffer]>): string {
  return [...entries]
    .map(([name, content]) => `${name}=${content.toString('hex')}`)
    .sort()
    .join(' ');
}
