import { expect, it } from 'vitest';
import type { Fetched } from './fetch.ts';
import { Inputs } from './inputs.ts';
import { Names } from './names.ts';

interface Asked {
  readonly topics: readonly string[];
  /** Brings one record to each of its topics. */
  answer(): void;
}

/** Leaders that move, and fetches that are answered when told so. */
function brokers() {
  const leaders = new Map([
    ['judged', '1'],
    ['alerts', '1'],
  ]);
  const asked: Asked[] = [];
  return {
    leaders,
    asked,
    leader: (topic: string) => leaders.get(topic) ?? '-1',
    fetch: (wants: readonly { readonly topic: string; readonly offset: number }[]) =>
      new Promise<readonly Fetched[]>((resolve) => {
        const answer = () => resolve(wants.map(({ topic, offset }) => one(topic, offset)));
        asked.push({ topics: wants.map(({ topic }) => topic), answer });
      }),
  };
}

function one(topic: string, offset: number): Fetched {
  const record = { offset, timestamp: 1, key: null, value: Buffer.from(topic), headers: {} };
  const rest = { errorCode: 0, lastStable: 9, closedBytes: 1, openedBytes: 1, unreadable: [] };
  return { topic, partition: 0, highWatermark: 9, next: offset + 1, records: [record], ...rest };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('an input whose leader moves while it is fetched is not fetched a second time', async () => {
  const cluster = brokers();
  const from = new Map([
    ['judged', 0],
    ['alerts', 0],
  ] as const);
  const inputs = new Inputs(cluster, new Names(''), 0, from);
  inputs.readAhead();
  expect(cluster.asked.map(({ topics }) => topics)).toEqual([['judged', 'alerts']]);
  cluster.leaders.set('judged', '2');
  inputs.readAhead();
  expect(cluster.asked).toHaveLength(1);
  cluster.asked[0]?.answer();
  await settled();
  expect(inputs.take(1_000).map(({ topic, offset }) => [topic, offset])).toEqual([
    ['judged', 0],
    ['alerts', 0],
  ]);
  inputs.readAhead();
  expect(cluster.asked.slice(1).map(({ topics }) => topics)).toEqual([['judged'], ['alerts']]);
  // One is answered, and asked again: the other leader's is still on its way.
  cluster.asked[1]?.answer();
  await settled();
  expect(inputs.take(1_000).map(({ topic, offset }) => [topic, offset])).toEqual([['judged', 1]]);
  inputs.readAhead();
  expect(cluster.asked.slice(3).map(({ topics }) => topics)).toEqual([['judged']]);
});
