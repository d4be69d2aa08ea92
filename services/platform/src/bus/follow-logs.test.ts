import { expect, it } from 'vitest';
import type { BusRecord } from './bus.ts';
import { followLogs } from './follow-logs.ts';

it('what fails in one partition ends the others too, which wait', async () => {
  let left = 0;
  const logs = {
    read: (partition: number): readonly BusRecord[] => {
      if (partition === 1) throw new Error('gone');
      return [];
    },
    wait: (_partition: number, _maxWaitMs: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const leave = () => {
          left += 1;
          resolve();
        };
        if (signal.aborted) leave();
        else signal.addEventListener('abort', leave, { once: true });
      }),
  };
  const followed = followLogs(logs, [0, 0, 0], () => undefined, new AbortController().signal);
  await expect(followed).rejects.toThrow('gone');
  expect(left).toBe(2);
});
