import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Logger } from '@eyrie/platform/log';
import { describe, expect, it } from 'vitest';
import { createRole } from './role.ts';

/** A role whose run fails each time; gives what it logged in `waits` restarts. */
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
      return { done: Promise.reject(new Error('cannot')), leave: () => Promise.resolve() };
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
  const role = createRole(
    { bus, clock, log: log as unknown as Logger },
    { spec: { group: 'judge', inputs: ['events'] }, run: async () => {} },
  );
  await role.start();
  await enough;
  await role.stop();
  return messages.filter((message) => message.startsWith('blocked'));
}

describe('a role that fails', () => {
  it('says where it is blocked when nothing goes on', async () => {
    const blocked = await messagesOf(4, () => 7);
    expect(blocked[0]).toContain('events/0@7');
  });

  it('does not say so while it goes on between failures', async () => {
    expect(await messagesOf(6, (failures) => failures)).toEqual([]);
  });
});
