import { expect, test } from 'vitest';
import { createMetrics } from '../../metrics.ts';
import { KnownStates } from './known-states.ts';

const HOUR_MS = 3_600_000;
const state = (keys: number) => new Map(Array.from({ length: keys }, (_, i) => [`${i}`, Buffer.alloc(0)] as const));

test('a state is given once, and no longer than a log keeps what was removed', () => {
  const states = new KnownStates(createMetrics());
  const known = { state: state(1), next: 7, at: 0 };
  states.put('alert-state', 0, 'counts/', known);
  expect(states.take('alert-state', 1, 'counts/', 0)).toBeUndefined();
  expect(states.take('alert-state', 0, 'counts/', HOUR_MS)).toBe(known);
  expect(states.take('alert-state', 0, 'counts/', HOUR_MS)).toBeUndefined();
  states.put('alert-state', 0, 'counts/', known);
  expect(states.take('alert-state', 0, 'counts/', HOUR_MS + 1)).toBeUndefined();
});

test('a state too large and one too many are not kept, and counted', async () => {
  const metrics = createMetrics();
  const states = new KnownStates(metrics);
  const counted = async () => (await metrics.read('eyrie_bound_reached_total')).map(([, count]) => count);
  states.put('alert-state', 0, '', { state: state(10_001), next: 1, at: 0 });
  expect(states.take('alert-state', 0, '', 0)).toBeUndefined();
  expect(await counted()).toEqual([1]);
  for (let partition = 0; partition < 64; partition += 1) {
    states.put('alert-state', partition, 'a', { state: state(1), next: 1, at: 0 });
  }
  expect(await counted()).toEqual([1]);
  states.put('alert-state', 64, 'a', { state: state(1), next: 1, at: 0 });
  expect(await counted()).toEqual([2]);
  expect(states.take('alert-state', 0, 'a', 0)).toBeUndefined();
  expect(states.take('alert-state', 64, 'a', 0)).toBeDefined();
});
