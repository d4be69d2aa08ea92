import { expect, test } from 'vitest';
import { AppError } from '../errors.ts';
import type { Kv } from './kv.ts';
import { type Change, Writer } from './writer.ts';

const full = () => new AppError('EYRIE_DISK_FULL', 'full', { retryable: true });

/** An engine whose transactions fail as `fails` says; it keeps what committed ones put. */
function fakeKv(fails: (puts: readonly string[], commit: number) => boolean) {
  const commits: string[][] = [];
  let puts: string[] = [];
  let attempts = 0;
  const kv = {
    put: (key: Buffer) => puts.push(String(key)),
    transact: (action: () => void) => {
      puts = [];
      action();
      attempts += 1;
      if (fails(puts, commits.length)) throw full();
      commits.push(puts);
    },
  } as Partial<Kv> as Kv;
  return { kv, commits, attempts: () => attempts };
}

function writerOn(kv: Kv, releaseReserve: () => boolean = () => false) {
  const calls = { committed: 0, aborted: 0, bounds: [] as string[] };
  const writer = new Writer(kv, {
    committed: () => {
      calls.committed += 1;
    },
    aborted: () => {
      calls.aborted += 1;
    },
    releaseReserve,
    boundReached: (bound) => calls.bounds.push(bound),
  });
  return { writer, calls };
}

function change(kv: Kv, name: string, kind: Partial<Change<string>> = {}): Change<string> {
  return {
    bytes: 1,
    log: true,
    state: false,
    positions: false,
    apply: () => {
      kv.put(Buffer.from(name), Buffer.alloc(0));
      return name;
    },
    ...kind,
  };
}

test('changes of one turn share a transaction', async () => {
  const { kv, commits } = fakeKv(() => false);
  const { writer } = writerOn(kv);
  const names = ['a', 'b', 'c'];
  expect(await Promise.all(names.map((name) => writer.run(change(kv, name))))).toEqual(names);
  expect(commits).toEqual([names]);
});

test('right after a commit appends wait for one another, and a step takes them along', async () => {
  const { kv, commits } = fakeKv(() => false);
  const { writer } = writerOn(kv);
  await writer.run(change(kv, 'a'));
  const waiting = [writer.run(change(kv, 'b'))];
  await new Promise((resolve) => setImmediate(resolve));
  waiting.push(writer.run(change(kv, 'c')));
  expect(commits).toEqual([['a']]);
  await writer.run(change(kv, 'step', { positions: true }));
  expect(commits).toEqual([['a'], ['b', 'c', 'step']]);
  await Promise.all(waiting);
  await writer.run(change(kv, 'alone'));
  expect(commits).toEqual([['a'], ['b', 'c', 'step'], ['alone']]);
});

test('a change that is refused does not touch its neighbours', async () => {
  const { kv, commits } = fakeKv(() => false);
  const { writer } = writerOn(kv);
  const refused = change(kv, 'bad', {
    check: () => {
      throw new RangeError('no');
    },
  });
  const results = await Promise.allSettled([
    writer.run(change(kv, 'a')),
    writer.run(refused),
    writer.run(change(kv, 'b')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(commits).toEqual([['a', 'b']]);
});

test('an append that finds the disk full is tried once more after an empty commit', async () => {
  const { kv, commits } = fakeKv((puts, committed) => puts.includes('a') && committed === 0);
  const { writer } = writerOn(kv);
  expect(await writer.run(change(kv, 'a'))).toBe('a');
  expect(commits).toEqual([['mnudge'], ['a']]);
});

test('on a disk that stays full intake is refused without hammering it', async () => {
  const { kv, attempts } = fakeKv((puts) => puts.includes('a'));
  const { writer, calls } = writerOn(kv);
  for (let i = 0; i < 5; i += 1) await expect(writer.run(change(kv, 'a'))).rejects.toThrow('full');
  expect(attempts()).toBe(5 + 2);
  expect(calls.bounds.length).toBe(5);
  expect(calls.aborted).toBe(6);
});

test('on a full disk a step passes alone, with the reserve, while appends beside it are refused', async () => {
  let room = false;
  const { kv, commits } = fakeKv((puts) => !room || puts.includes('append'));
  const { writer } = writerOn(kv, () => {
    const released = !room;
    room = true;
    return released;
  });
  const results = await Promise.allSettled([
    writer.run(change(kv, 'append')),
    writer.run(change(kv, 'step', { log: false, positions: true })),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(commits).toEqual([['step']]);
});

test('a failure that is not about space fails the whole transaction', async () => {
  const { kv } = fakeKv(() => false);
  const { writer, calls } = writerOn(kv);
  const broken = change(kv, 'x', {
    apply: () => {
      throw new Error('broken');
    },
  });
  const results = await Promise.allSettled([writer.run(change(kv, 'a')), writer.run(broken)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(calls).toMatchObject({ committed: 0, aborted: 1 });
});

test('too much waiting is refused and counted', async () => {
  const { kv } = fakeKv(() => false);
  const { writer, calls } = writerOn(kv);
  const huge = writer.run(change(kv, 'huge', { bytes: 200 * 1024 * 1024 }));
  await expect(writer.run(change(kv, 'a'))).rejects.toMatchObject({ code: 'EYRIE_BUS_FULL', retryable: true });
  expect(calls.bounds).toEqual(['bus_pending_bytes']);
  // A step empties the log: refused, its group would have to start anew.
  expect(await writer.run(change(kv, 'step', { positions: true }))).toBe('step');
  await huge;
  await writer.run(change(kv, 'a'));
});

test('closing writes what waits and refuses the rest', async () => {
  const { kv, commits } = fakeKv(() => false);
  const { writer } = writerOn(kv);
  const last = writer.run(change(kv, 'a'));
  await writer.close();
  expect(await last).toBe('a');
  expect(commits).toEqual([['a']]);
  await expect(writer.run(change(kv, 'b'))).rejects.toMatchObject({ code: 'EYRIE_BUS_UNAVAILABLE' });
});
