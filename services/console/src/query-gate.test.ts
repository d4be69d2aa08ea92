import { createMetrics } from '@eyrie/platform/metrics';
import type { Store } from '@eyrie/platform/store/store';
import { expect, it } from 'vitest';
import { gateQueries } from './query-gate.ts';

/** Patient: the machine may be busy. */
const poll = <T>(read: () => T, options = { timeout: 20_000 }) => expect.poll(read, options);

it('lets a few run, some wait, and sends the rest away with a code', async () => {
  let running = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const store = {
    query: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => finish.push(resolve));
      running -= 1;
      return [];
    },
  } as unknown as Store;
  const metrics = createMetrics();
  const gated = gateQueries(store, metrics, { running: 2, waiting: 3 });
  const asked = Array.from({ length: 6 }, () => gated.query('SELECT 1'));
  await expect(asked[5]).rejects.toMatchObject({ code: 'EYRIE_HTTP_UNAVAILABLE', retryable: true });
  for (let i = 0; i < 5; i += 1) {
    await poll(() => finish.length).toBeGreaterThan(0);
    finish.shift()?.();
  }
  await expect(Promise.all(asked.slice(0, 5))).resolves.toHaveLength(5);
  expect([most, running]).toEqual([2, 0]);
  expect((await metrics.read('eyrie_bound_reached_total'))[0]?.[1]).toBe(1);
});

it('frees its place when a question fails', async () => {
  const store = { query: async () => Promise.reject(new Error('no')) } as unknown as Store;
  const gated = gateQueries(store, createMetrics(), { running: 1, waiting: 0 });
  await expect(gated.query('SELECT 1')).rejects.toThrow('no');
  await expect(gated.query('SELECT 1')).rejects.toThrow('no');
});
