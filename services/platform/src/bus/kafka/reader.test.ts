import { expect, it } from 'vitest';
import type { Clock } from '../../clock.ts';
import { createMetrics } from '../../metrics.ts';
import type { Fetched } from './fetch.ts';
import { Names } from './names.ts';
import { Reader } from './reader.ts';

const KEPT = 5;

/** Shows the first records only, as a leader elected just now does, until it was asked `ignorantFor` times. */
function leader({ ignorantFor, shows = 2 }: { readonly ignorantFor: number; readonly shows?: number }) {
  let fetches = 0;
  return {
    bounds: async () => ({ start: 0, end: KEPT }),
    end: async () => KEPT,
    fetch: async ([want]: readonly { readonly topic: string; readonly offset: number }[]): Promise<Fetched[]> => {
      fetches += 1;
      const highWatermark = fetches > ignorantFor ? KEPT : shows;
      const at = want?.offset ?? 0;
      const records = Array.from({ length: Math.max(0, highWatermark - at) }, (_, index) => ({
        offset: at + index,
        timestamp: 1,
        key: Buffer.from(`k${at + index}`),
        value: Buffer.from('v'),
        headers: {},
      }));
      const next = at + records.length;
      const rest = { errorCode: 0, lastStable: highWatermark, closedBytes: 0, openedBytes: 0, unreadable: [] };
      return [{ topic: want?.topic ?? '', partition: 0, highWatermark, next, records, ...rest }];
    },
  };
}

function readerOf(fetcher: ReturnType<typeof leader>): Reader {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  return new Reader({ fetcher, names: new Names(''), clock, metrics: createMetrics() });
}

async function offsets(reader: Reader): Promise<readonly number[]> {
  const found: number[] = [];
  for (;;) {
    const records = await reader.read('judged', 0, found.length, 1_000_000);
    if (records.length === 0) return found;
    found.push(...records.map(({ offset }) => offset));
  }
}

it('a log does not end where a new leader thinks it does', async () => {
  expect(await offsets(readerOf(leader({ ignorantFor: 10 })))).toEqual([0, 1, 2, 3, 4]);
  expect(await offsets(readerOf(leader({ ignorantFor: 10, shows: 0 })))).toEqual([0, 1, 2, 3, 4]);
});

it('nor does a state', async () => {
  const state = await readerOf(leader({ ignorantFor: 10 })).readState('alert-state', 0, '');
  expect([...state.keys()]).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
});

it('a leader that never knows is an error that may pass', async () => {
  const unavailable = { code: 'EYRIE_BUS_UNAVAILABLE', retryable: true, message: expect.stringContaining('2 of 5') };
  const endless = () => readerOf(leader({ ignorantFor: Number.POSITIVE_INFINITY }));
  await expect(endless().read('judged', 0, 2, 1)).rejects.toMatchObject(unavailable);
  await expect(endless().readState('alert-state', 0, '')).rejects.toMatchObject(unavailable);
});
