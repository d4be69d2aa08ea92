import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from './bus/bus.ts';
import { systemClock } from './clock.ts';
import { createLogger } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { Store } from './store/store.ts';
import { type TemporaryLog, temporaryLog } from './testing/temporary-log.ts';
import { createVitals } from './vitals.ts';

const log = createLogger({ name: 'test', level: 'silent' });
let home: TemporaryLog;
let metrics: Metrics;
beforeEach(() => {
  home = temporaryLog();
  metrics = createMetrics();
});
afterEach(() => home.remove());

const soon = { timeout: 5_000, interval: 5 };

describe('vitals', () => {
  it('tell how many records a group of this process has not read, and since when', async () => {
    const { bus } = home;
    const record = { topic: 'raw', partition: 0, value: Buffer.from('x') } as const;
    await bus.append([record, record, record]);
    await bus.join({ group: 'prepare', inputs: ['raw'] }, (assigned) =>
      assigned.transact({ positions: [{ topic: 'raw', next: 1 }] }).then(() => undefined),
    ).done;
    const clock = { ...systemClock, now: () => Date.now() + 60_000 };
    const vitals = createVitals({ bus, clock, log, metrics }, 5);
    vitals.watch('prepare', () => true);
    await vitals.start();
    await expect
      .poll(() => metrics.read('eyrie_bus_lag_records'), soon)
      .toEqual([[{ group: 'prepare', topic: 'raw' }, 2]]);
    const [[, seconds] = []] = await metrics.read('eyrie_bus_lag_seconds');
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(seconds).toBeLessThan(120);
    await vitals.stop();
  });

  it('tell no lag of a group of others, nor of offsets that hold no record', async () => {
    const groups = ['prepare', 'judge'].map((group) => ({ group, topic: 'raw', partition: 0, next: 4, end: 5 }));
    const bus = { groups: async () => groups, read: async () => [] } as unknown as Bus;
    const vitals = createVitals({ bus, clock: systemClock, log, metrics }, 5);
    vitals.watch('prepare', () => true);
    await vitals.start();
    await expect
      .poll(() => metrics.read('eyrie_bus_lag_records'), soon)
      .toEqual([[{ group: 'prepare', topic: 'raw' }, 0]]);
    await vitals.stop();
  });

  it('notice that the tables cannot be reached, and that they can again', async () => {
    let answer = () => Promise.reject(new Error('gone'));
    const store = { query: () => answer() } as unknown as Store;
    const vitals = createVitals({ bus: home.bus, store, clock: systemClock, log, metrics }, 5);
    expect(vitals.parts()).toEqual({ log: true, store: true });
    await vitals.start();
    await expect.poll(() => vitals.parts(), soon).toEqual({ log: true, store: false });
    answer = () => Promise.resolve([] as never);
    await expect.poll(() => vitals.parts(), soon).toEqual({ log: true, store: true });
    await vitals.stop();
  });
});
