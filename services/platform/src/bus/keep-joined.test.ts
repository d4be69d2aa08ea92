import { describe, expect, it } from 'vitest';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { temporaryLog } from '../testing/temporary-log.ts';
import { createVitals } from '../vitals.ts';
import type { Bus } from './bus.ts';
import { keepJoined } from './keep-joined.ts';

/** A member whose run fails each time; gives what it logged in `waits` restarts. */
async function messagesOf(waits: number, next: (failures: number) => number): Promise<readonly string[]> {
  const messages: string[] = [];
  let failures = 0;
  let stop: () => void = () => {};
  const enough = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const bus = {
    join: () => {
      failures += 1;
      const done = Promise.reject(new Error('cannot'));
      return { done, partitions: () => undefined, leave: () => Promise.resolve() };
    },
    groups: async () => [{ group: 'judge', topic: 'events', partition: 0, next: next(failures), end: 9 }],
  } as unknown as Bus;
  const clock = {
    now: () => 0,
    sleep: async () => {
      if (failures >= waits) stop();
      await new Promise((resolve) => setImmediate(resolve));
    },
  } as unknown as Clock;
  const log = { error: (fields: object, text: string) => messages.push(`${text} ${JSON.stringify(fields)}`) };
  const kept = keepJoined(
    { bus, clock, log: log as unknown as Logger },
    { spec: { group: 'judge', inputs: ['events'] }, run: async () => {}, isFatal: () => false, onFatal: () => {} },
  );
  await enough;
  await kept.stop();
  return messages.filter((message) => message.startsWith('blocked'));
}

describe('a member that fails', () => {
  it('says where it is blocked when nothing goes on', async () => {
    const blocked = await messagesOf(4, () => 7);
    expect(blocked[0]).toContain('events/0@7');
  });

  it('does not say so while it goes on between failures', async () => {
    expect(await messagesOf(6, (failures) => failures)).toEqual([]);
  });
});

describe('a member on a real log', () => {
  const log = createLogger({ name: 'test', level: 'silent' });
  const later = (condition: () => boolean) => expect.poll(condition, { timeout: 5_000, interval: 5 }).toBe(true);

  it('works once every partition has restored, and no more while one has not started anew', async () => {
    const home = temporaryLog({ partitions: { raw: 2 } });
    const { bus } = home;
    const clock = { now: () => Date.now(), sleep: (ms: number, signal?: AbortSignal) => sleepUnless(ms, signal) };
    const vitals = createVitals({ bus, clock, log, metrics: createMetrics() });
    const restored = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const broken = Promise.withResolvers<never>();
    let starts = 0;
    const kept = keepJoined(
      { bus, clock, log, vitals },
      {
        spec: { group: 'prepare', inputs: ['raw'] },
        isFatal: () => false,
        onFatal: () => {},
        run: async ({ partition }, signal, ready) => {
          starts += 1;
          if (starts <= 2) await restored[partition]?.promise;
          else await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
          ready();
          if (starts <= 2) await broken.promise;
        },
      },
    );
    const isReady = () => vitals.parts()['prepare'] === true;
    restored[0]?.resolve();
    await later(() => starts === 2);
    expect(isReady()).toBe(false);
    restored[1]?.resolve();
    await later(isReady);
    broken.reject(new Error('broken'));
    await later(() => starts === 4);
    expect(isReady()).toBe(false);
    await kept.stop();
    await home.remove();
  });

  it('ends with the error that no start can mend', async () => {
    const home = temporaryLog();
    const told = Promise.withResolvers<unknown>();
    const kept = keepJoined(
      { bus: home.bus, clock: { now: () => 0, sleep: sleepUnless }, log },
      {
        spec: { group: 'prepare', inputs: ['raw'] },
        run: () => Promise.reject(new Error('for good')),
        isFatal: () => true,
        onFatal: told.resolve,
      },
    );
    expect(await told.promise).toMatchObject({ message: 'for good' });
    await kept.stop();
    await home.remove();
  });
});

async function sleepUnless(ms: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + Math.min(ms, 20);
  while (performance.now() < end && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, 2));
}
