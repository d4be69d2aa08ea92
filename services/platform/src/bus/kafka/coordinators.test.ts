import { expect, it } from 'vitest';
import type { Clock } from '../../clock.ts';
import { Coordinators } from './coordinators.ts';
import type { Broker, Cluster } from './internals.ts';

const NEEDS = { principal: 'User:eyrie' };

/** Coordinators one after the other, as they are found. */
function coordinators() {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  let found = 0;
  let refreshed = 0;
  const cluster = {
    isConnected: () => true,
    refreshMetadata: async () => {
      refreshed += 1;
    },
    findGroupCoordinator: async () => {
      found += 1;
      return found as unknown as Broker;
    },
  } as unknown as Cluster;
  return { made: new Coordinators(cluster, clock), found: () => found, refreshed: () => refreshed };
}

/** Answers with errors of these types first. */
function answering(...types: readonly string[]): (coordinator: Broker) => Promise<Broker> {
  const left = [...types];
  return async (coordinator) => {
    const type = left.shift();
    if (type !== undefined) throw Object.assign(new Error('as the broker says'), { type });
    return coordinator;
  };
}

it('a coordinator is found once, and anew when it has moved or is gone', async () => {
  const { made, found, refreshed } = coordinators();
  expect(await made.ask('group', 'a', NEEDS, answering())).toBe(1);
  expect(await made.ask('group', 'a', NEEDS, answering())).toBe(1);
  expect(await made.ask('transaction', 'a', NEEDS, answering())).toBe(2);
  expect(await made.ask('group', 'a', NEEDS, answering('NOT_COORDINATOR_FOR_GROUP', 'GROUP_LOAD_IN_PROGRESS'))).toBe(4);
  expect([found(), refreshed()]).toEqual([4, 2]);
});

it('the end of the step before is waited for where it is', async () => {
  const { made, refreshed } = coordinators();
  expect(
    await made.ask('transaction', 'a', NEEDS, answering('CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS')),
  ).toBe(1);
  expect(refreshed()).toBe(0);
});

it('another owner, a refusal, and no answer for half a minute are told', async () => {
  const { made } = coordinators();
  const ask = (...types: readonly string[]) => made.ask('transaction', 'a', NEEDS, answering(...types));
  await expect(ask('INVALID_PRODUCER_EPOCH')).rejects.toMatchObject({ code: 'EYRIE_FENCED' });
  await expect(ask('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')).rejects.toMatchObject({ code: 'EYRIE_CONFIG_INVALID' });
  const unavailable = { code: 'EYRIE_BUS_UNAVAILABLE', retryable: true };
  await expect(ask(...Array.from({ length: 1_000 }, () => 'NOT_COORDINATOR_FOR_GROUP'))).rejects.toMatchObject(
    unavailable,
  );
});

it('asked once, only the one known is asked', async () => {
  const { made, found } = coordinators();
  expect(await made.askOnce('transaction', 'a', answering())).toBeUndefined();
  await made.ask('transaction', 'a', NEEDS, answering());
  expect(await made.askOnce('transaction', 'a', answering())).toBe(1);
  expect(found()).toBe(1);
});
