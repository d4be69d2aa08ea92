import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../clock.ts';
import { type TemporaryLog, temporaryLog } from '../testing/temporary-log.ts';
import type { Assigned, BusRecord } from './bus.ts';

const MIB = 1024 * 1024;
const FRAME = Buffer.alloc(256 * 1024);

/** The first wait for a reader that is far behind, of `flow.ts`; nothing else in a log waits as long. */
const HOLD_STEP_MS = 300;

let home: TemporaryLog;
/** How often somebody was held up. */
let holds: number;
/** Counted, not timed: on a busy machine everything takes long. */
const clock: Clock = {
  now: systemClock.now,
  sleep: (ms, signal) => {
    if (ms === HOLD_STEP_MS) holds += 1;
    return systemClock.sleep(ms, signal);
  },
};
const anew = () => {
  holds = 0;
  home = temporaryLog({ clock });
};
beforeEach(anew);
afterEach(() => home.remove());

const raw = (made?: unknown, value = FRAME) => ({ topic: 'raw' as const, partition: 0, value, made });

/** Runs as a member of a group until `run` ends. */
async function member(group: string, input: 'raw' | 'events', run: (assigned: Assigned) => Promise<void>) {
  const membership = home.bus.join({ group, inputs: [input] }, (assigned) => run(assigned));
  await membership.done;
}

describe('what a writer made a record of', () => {
  it('reaches readers of the same process, until the log is opened again or the record has left the tail', async () => {
    const made = { some: 'thing' };
    await home.bus.append([raw(made, Buffer.from('x'))]);
    expect((await home.bus.read('raw', 0, 0))[0]?.made).toBe(made);
    await home.reopen();
    const [reread] = await home.bus.read('raw', 0, 0);
    expect(reread).toMatchObject({ value: Buffer.from('x') });
    expect(reread?.made).toBeUndefined();

    const again = (await home.bus.append([raw(made)]))[0]?.offset ?? 0;
    expect((await home.bus.read('raw', 0, again))[0]?.made).toBe(made);
    await home.bus.append(Array.from({ length: 40 }, () => raw(made)));
    expect((await home.bus.read('raw', 0, again))[0]?.made).toBeUndefined();
  });

  it('is not handed on by a compacted topic', async () => {
    await home.bus.append([{ topic: 'documents', partition: 0, key: 'k', value: Buffer.from('1'), made: {} }]);
    expect((await home.bus.read('documents', 0, 0))[0]?.made).toBeUndefined();
  });
});

describe('a group whose readers are far behind', () => {
  /** Batches a writer of `events` gets until it has read all, while a reader of them stands where it is. */
  async function batches(isRead: boolean, made: unknown): Promise<number> {
    await home.bus.append(Array.from({ length: 80 }, () => raw()));
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const reader = isRead ? member('reader', 'events', () => left) : undefined;
    let taken = 0;
    await member('writer', 'raw', async (assigned) => {
      while (true) {
        const records: readonly BusRecord[] = await assigned.poll({ maxBytes: MIB, maxWaitMs: 10 });
        const last = records.at(-1);
        if (last === undefined) break;
        taken += 1;
        await assigned.transact({
          positions: [{ topic: 'raw', next: last.offset + 1 }],
          outputs: records.map(({ value }) => ({ topic: 'events', partition: 0, value, made })),
        });
      }
    });
    leave();
    await reader;
    return taken;
  }

  it('waits, but only once for a reader that stands still', async () => {
    const alone = await batches(false, {});
    expect(alone).toBeGreaterThan(10);
    expect(holds).toBe(0);
    await home.remove();
    anew();
    expect(await batches(true, {})).toBe(alone);
    expect(holds).toBe(1);
  });

  it('does not wait where it hands nothing on', async () => {
    expect(await batches(true, undefined)).toBeGreaterThan(10);
    expect(holds).toBe(0);
    await home.remove();
    anew();
    await batches(true, {});
    expect(holds).toBe(1);
  });

  it('no longer waits for a reader that has left', async () => {
    expect(await batches(true, {})).toBeGreaterThan(3);
    const before = holds;
    await home.bus.waitForReaders('events', 0);
    await member('late', 'events', async () => {});
    await home.bus.append(Array.from({ length: 20 }, () => ({ topic: 'events', partition: 0, value: FRAME }) as const));
    await home.bus.waitForReaders('events', 0);
    expect(holds).toBe(before);
  });
});
