import { expect, it } from 'vitest';
import type { Fetched } from './fetch.ts';
import { Following } from './follow.ts';
import { Names } from './names.ts';

const OUT_OF_RANGE = 1;

interface Asked {
  /** Partition and offset of each. */
  readonly places: readonly (readonly [partition: number, offset: number])[];
  answer(...fetched: readonly Fetched[]): void;
  fail(error: Error): void;
}

/** Leaders that hold every fetch until told to answer, and what a follower of three partitions was given. */
function follow() {
  const leaders = ['1', '1', '2'];
  const asked: Asked[] = [];
  const given: (readonly [partition: number, offsets: readonly number[], next: number])[] = [];
  const slept: number[] = [];
  const stop = new AbortController();
  const following = new Following({
    source: {
      leader: (_topic, partition) => leaders[partition] ?? '-1',
      bounds: async () => ({ start: 5, end: 9 }),
      fetch: (wants) =>
        new Promise((resolve, reject) => {
          const places = wants.map(({ partition, offset }) => [partition, offset] as const);
          asked.push({ places, answer: (...fetched) => resolve(fetched), fail: reject });
        }),
    },
    names: new Names(''),
    clock: { now: () => 0, sleep: async (ms) => void slept.push(ms) },
    topic: 'alerts',
    from: [0, 0, 0],
    take: (partition, records, next) => given.push([partition, records.map(({ offset }) => offset), next]),
    signal: stop.signal,
  });
  return { leaders, asked, given, slept, stop, done: following.run() };
}

function fetched(partition: number, offsets: readonly number[], next: number, errorCode = 0): Fetched {
  const records = offsets.map((offset) => ({ offset, timestamp: 1, key: null, value: Buffer.from('x'), headers: {} }));
  const rest = { lastStable: 9, closedBytes: 1, openedBytes: 1, unreadable: [] };
  return { topic: 'alerts', partition, errorCode, highWatermark: 9, next, records, ...rest };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('each leader is asked for all of its partitions, and again without waiting for the others', async () => {
  const { asked, given, stop, done } = follow();
  expect(asked.map(({ places }) => places)).toEqual([
    [
      [0, 0],
      [1, 0],
    ],
    [[2, 0]],
  ]);
  // Markers end the second one: nobody gets them, and it goes on behind them.
  asked[0]?.answer(fetched(0, [0, 1], 3), fetched(1, [], 2));
  await settled();
  expect(given).toEqual([
    [0, [0, 1], 3],
    [1, [], 2],
  ]);
  expect(asked.slice(2).map(({ places }) => places)).toEqual([
    [
      [0, 3],
      [1, 2],
    ],
  ]);
  stop.abort();
  for (const one of asked) one.answer(fetched(2, [0], 1));
  await done;
  expect(given).toHaveLength(2);
});

it('a partition whose leader moves while it is fetched is not fetched twice', async () => {
  const { leaders, asked, given, stop, done } = follow();
  leaders[0] = '2';
  asked[1]?.answer(fetched(2, [0], 1));
  await settled();
  expect(asked[2]?.places).toEqual([[2, 1]]);
  asked[0]?.answer(fetched(0, [0], 1));
  asked[2]?.answer(fetched(2, [], 1));
  await settled();
  expect(given).toEqual([
    [2, [0], 1],
    [0, [0], 1],
  ]);
  expect(asked.slice(3).flatMap(({ places }) => places)).toContainEqual([0, 1]);
  stop.abort();
  for (const one of asked) one.answer();
  await done;
});

it('what retention took is passed over; a place behind the end is waited for', async () => {
  const { asked, given, slept, stop, done } = follow();
  asked[0]?.answer(fetched(0, [], 0, OUT_OF_RANGE));
  await settled();
  expect(asked[2]?.places).toEqual([
    [0, 5],
    [1, 0],
  ]);
  expect(slept).toEqual([]);
  asked[2]?.answer(fetched(0, [], 5, OUT_OF_RANGE));
  await settled();
  expect(slept).toEqual([1_000]);
  expect(asked[3]?.places).toContainEqual([0, 5]);
  expect(given).toEqual([]);
  stop.abort();
  for (const one of asked) one.answer();
  await done;
});

it('what a fetch fails with ends it', async () => {
  const { asked, done } = follow();
  asked[1]?.fail(new Error('gone'));
  await expect(done).rejects.toThrow('gone');
  asked[0]?.fail(new Error('closed'));
  await settled();
});
