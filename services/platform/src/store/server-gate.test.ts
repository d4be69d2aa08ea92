import { expect, it } from 'vitest';
import { createMetrics } from '../metrics.ts';
import { createGate } from './server-gate.ts';

function task() {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let isStarted = false;
  const run = () => {
    isStarted = true;
    return ended;
  };
  return { run, end: () => end(), isStarted: () => isStarted };
}

it('runs so many at once, lets so many wait, refuses and counts the others', async () => {
  const metrics = createMetrics();
  const gate = createGate(metrics, { atOnce: 2, waiting: 1 });
  const [a, b, c, d] = [task(), task(), task(), task()];
  const runs = [a, b, c].map(({ run }) => gate.run(run));
  await expect(gate.run(d.run)).rejects.toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE', retryable: true });
  expect([a, b, c, d].map(({ isStarted }) => isStarted())).toEqual([true, true, false, false]);
  expect(await metrics.read('eyrie_bound_reached_total')).toEqual([[{ bound: 'store_requests' }, 1]]);
  b.end();
  await runs[1];
  expect(c.isStarted()).toBe(true);
  a.end();
  c.end();
  await Promise.all(runs);
  await gate.run(async () => 'free again');
});

it('a task that fails gives its place to the next', async () => {
  const gate = createGate(createMetrics(), { atOnce: 1, waiting: 1 });
  const failing = gate.run(() => Promise.reject(new RangeError('no')));
  const next = gate.run(async () => 'next');
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('next');
});

it('closed, it lets what runs end and refuses the rest', async () => {
  const gate = createGate(createMetrics(), { atOnce: 1, waiting: 5 });
  const running = task();
  const run = gate.run(running.run);
  const waiting = gate.run(async () => undefined);
  const closed = gate.close();
  await expect(waiting).rejects.toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE' });
  await expect(gate.run(async () => undefined)).rejects.toMatchObject({ code: 'EYRIE_STORE_UNAVAILABLE' });
  running.end();
  await closed;
  await run;
});
