import type { TopicName } from '@eyrie/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Assigned, Bus, BusRecord, GroupSpec, Output, Step } from '../../bus/bus.ts';
import { crashRounds } from './bus-crash.ts';
import { checkHistories } from './bus-histories.ts';
import { readAll } from './read-all.ts';

/** A bus under test, on storage of its own. */
export interface BusUnderTest {
  /** With three partitions for the topics of alerts, one for all others. */
  readonly bus: Bus;
  /** Closes the bus and gives another one over the same storage, made after `meanwhile`. */
  reopen(meanwhile?: () => Promise<void>): Promise<Bus>;
  /** How a child process opens the same storage: `openBus(argument)` of a module. */
  readonly child: { readonly module: string; readonly argument: string };
  remove(): Promise<void>;
}

/** Each round starts a process. */
const CRASH_TIMEOUT_MS = 300_000;
/** Each history makes storage of its own. */
const HISTORIES_TIMEOUT_MS = 180_000;
const POLL = { maxBytes: 1024 * 1024, maxWaitMs: 2_000 };
const GROUP: GroupSpec = { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' };

/** The contract of the bus port. Every adapter runs it. */
export function describeBus(name: string, make: () => Promise<BusUnderTest>): void {
  describe(`bus contract: ${name}`, () => {
    let under: BusUnderTest;
    let bus: Bus;

    beforeEach(async () => {
      under = await make();
      bus = under.bus;
    });
    afterEach(() => under.remove());

    test('offsets grow in the order of appending, concurrent appends included', async () => {
      const appended = await Promise.all(
        Array.from({ length: 200 }, (_, i) => bus.append([frame('raw', `a${i}`), frame('raw', `b${i}`)])),
      );
      const offsets = appended.flat().map(({ offset }) => offset);
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      expect(new Set(offsets).size).toBe(400);
      const records = await readAll(bus, 'raw', 0);
      expect(records.map(({ offset }) => offset)).toEqual(offsets);
      expect(records.map(text)).toEqual(Array.from({ length: 200 }, (_, i) => [`a${i}`, `b${i}`]).flat());
    });

    test('keys, empty values, binary values and timestamps come back as they were', async () => {
      const before = Date.now();
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      await bus.append([
        { topic: 'alerts', partition: 1, key: 'schlüssel\u0000', value: bytes },
        { topic: 'alerts', partition: 1, key: 'empty', value: Buffer.alloc(0) },
      ]);
      const [first, second] = await readAll(bus, 'alerts', 1);
      expect(first?.key).toBe('schlüssel\u0000');
      expect(first?.value.equals(bytes)).toBe(true);
      expect(first?.timestamp).toBeGreaterThanOrEqual(before);
      expect(second?.value.length).toBe(0);
      expect(await readAll(bus, 'alerts', 0)).toEqual([]);
    });

    test('records survive a reopening, and offsets go on', async () => {
      await bus.append([frame('raw', 'one'), frame('raw', 'two')]);
      const { end } = await bus.bounds('raw', 0);
      bus = await under.reopen();
      expect((await bus.bounds('raw', 0)).end).toBe(end);
      const [third] = await bus.append([frame('raw', 'three')]);
      expect(third?.offset).toBeGreaterThanOrEqual(end);
      expect((await readAll(bus, 'raw', 0)).map(text)).toEqual(['one', 'two', 'three']);
    });

    test('a large record is stored whole', async () => {
      const value = Buffer.alloc(900_000);
      for (let i = 0; i < value.length; i += 1) value[i] = (i * 31) % 256;
      await bus.append([{ topic: 'raw', partition: 0, value }]);
      bus = await under.reopen();
      const [record] = await readAll(bus, 'raw', 0);
      expect(record?.value.equals(value)).toBe(true);
    });

    test('a bounded read gives at least one record and otherwise stays under its bound', async () => {
      const value = Buffer.alloc(1_000, 'x');
      await bus.append(Array.from({ length: 10 }, () => ({ topic: 'raw' as const, partition: 0, value })));
      expect(await bus.read('raw', 0, 0, { maxBytes: 10 })).toHaveLength(1);
      expect(await bus.read('raw', 0, 0, { maxBytes: 3_500 })).toHaveLength(3);
      const { end } = await bus.bounds('raw', 0);
      expect(await bus.read('raw', 0, end)).toEqual([]);
    });

    test('a group reads all inputs of its partition in order, each record once', async () => {
      const outputs: Output[] = [];
      for (let i = 0; i < 90; i += 1) outputs.push(frame('events', `e${i}`, i % 3), frame('commands', `c${i}`, i % 3));
      await bus.append(outputs);
      const seen = [[], [], []] as string[][];
      const membership = bus.join(GROUP, async (assigned, signal) => {
        const own = seen[assigned.partition] ?? [];
        while (own.length < 60 && !signal.aborted) {
          for (const record of await assigned.poll({ maxBytes: 50, maxWaitMs: 2_000 })) own.push(text(record));
        }
      });
      await membership.done;
      for (const [partition, texts] of seen.entries()) {
        for (const kind of ['e', 'c']) {
          const expected = Array.from({ length: 90 }, (_, i) => i).filter((i) => i % 3 === partition);
          expect(texts.filter((one) => one.startsWith(kind))).toEqual(expected.map((i) => `${kind}${i}`));
        }
        // Fair: neither input waits for the other to end.
        expect(texts.slice(0, 30).some((one) => one.startsWith('e'))).toBe(true);
        expect(texts.slice(0, 30).some((one) => one.startsWith('c'))).toBe(true);
      }
    });

    test('however little is asked for at a time, no input starves another', async () => {
      await bus.append(
        Array.from({ length: 20 }, (_, i) => [frame('events', `e${i}`), frame('commands', `c${i}`)]).flat(),
      );
      await inGroup(bus, GROUP, 0, async (assigned) => {
        const topics: TopicName[] = [];
        while (topics.length < 10)
          topics.push(...(await assigned.poll({ maxBytes: 1, maxWaitMs: 1_000 })).map(({ topic }) => topic));
        expect(topics.filter((topic) => topic === 'events').length).toBeGreaterThan(2);
        expect(topics.filter((topic) => topic === 'commands').length).toBeGreaterThan(2);
      });
    });

    test('a step commits positions, notes, state and outputs together and a new owner goes on from there', async () => {
      await bus.append([frame('events', 'one'), frame('events', 'two')]);
      await inGroup(bus, GROUP, 0, async (assigned) => {
        const [first] = await assigned.poll(POLL);
        const next = (first?.offset ?? 0) + 1;
        await assigned.transact({
          positions: [{ topic: 'events', next, note: 'noted' }],
          state: [
            ['t1/a', Buffer.from('A')],
            ['t1/b', Buffer.from('B')],
            ['t2/a', Buffer.from('C')],
            ['t2/empty', Buffer.alloc(0)],
          ],
          outputs: [{ topic: 'alerts', partition: 0, key: 'k', value: Buffer.from('alert') }],
        });
        await assigned.transact({ positions: [], state: [['t1/b', null]] });
      });
      bus = await under.reopen();
      expect((await readAll(bus, 'alerts', 0)).map(text)).toEqual(['alert']);
      expect((await bus.readState('alert-state', 0, 't1/')).map(([key, value]) => [key, String(value)])).toEqual([
        ['t1/a', 'A'],
      ]);
      await inGroup(bus, GROUP, 0, async (assigned) => {
        expect(assigned.position('events')).toEqual({ next: 1, note: 'noted' });
        expect(assigned.position('commands').note).toBeUndefined();
        const restored = new Map<string, string>();
        for await (const [key, value] of assigned.restore()) restored.set(key, String(value));
        expect([...restored]).toEqual([
          ['t1/a', 'A'],
          ['t2/a', 'C'],
          ['t2/empty', ''],
        ]);
        expect((await assigned.poll(POLL)).map(text)).toEqual(['two']);
      });
    });

    test('what was read but not committed is read again by the next owner', async () => {
      await bus.append([frame('events', 'one'), frame('events', 'two')]);
      for (let round = 0; round < 2; round += 1) {
        await inGroup(bus, GROUP, 0, async (assigned) => {
          expect((await pollAll(assigned, 2)).map(text)).toEqual(['one', 'two']);
        });
      }
    });

    test('a refused step leaves nothing behind', async () => {
      await bus.append([frame('events', 'one')]);
      await inGroup(bus, GROUP, 0, async (assigned) => {
        await assigned.poll(POLL);
        const step: Step = {
          positions: [{ topic: 'events', next: 5_000 }],
          state: [['t1/a', Buffer.from('A')]],
          outputs: [frame('alerts', 'alert')],
        };
        await expect(assigned.transact(step)).rejects.toThrow();
        await expect(assigned.transact({ positions: [] })).rejects.toMatchObject({ code: 'EYRIE_FENCED' });
      });
      expect(await readAll(bus, 'alerts', 0)).toEqual([]);
      expect(await bus.readState('alert-state', 0, '')).toEqual([]);
    });

    test('state is read by prefix from outside, as it is now', async () => {
      const read = async () => (await bus.readState('alert-state', 0, 't1/')).map(([key, value]) => [key, `${value}`]);
      const commit = (...state: readonly (readonly [string, string | null])[]) =>
        inGroup(bus, GROUP, 0, async (assigned) => {
          const entries = state.map(([key, value]) => [key, value === null ? null : Buffer.from(value)] as const);
          await assigned.transact({ positions: [], state: entries });
        });
      await commit(['t1/a', 'A'], ['t1/b', 'B'], ['t2/a', 'other']);
      const before = await read();
      expect(before.sort()).toEqual([
        ['t1/a', 'A'],
        ['t1/b', 'B'],
      ]);
      await commit(['t1/a', null], ['t1/b', 'C'], ['t1/c', 'D']);
      expect((await read()).sort()).toEqual([
        ['t1/b', 'C'],
        ['t1/c', 'D'],
      ]);
      expect(before).toHaveLength(2);
    });

    test('a member knows its partitions', async () => {
      const membership = bus.join(GROUP, async (assigned, signal) => {
        while (!signal.aborted) await assigned.poll({ maxBytes: 100, maxWaitMs: 50 });
      });
      const all = Array.from({ length: bus.partitions('events') }, (_, partition) => partition);
      await until(() => membership.partitions() !== undefined);
      expect([...(membership.partitions() ?? [])].sort()).toEqual(all);
      await membership.leave();
    });

    test('a partition has one owner at a time: a second member waits, the first one is fenced after leaving', async () => {
      let former: Assigned | undefined;
      let owners = 0;
      const own = async (assigned: Assigned, signal: AbortSignal) => {
        owners += 1;
        expect(owners).toBeLessThanOrEqual(1);
        former ??= assigned;
        while (!signal.aborted) await assigned.poll({ maxBytes: 100, maxWaitMs: 50 });
        owners -= 1;
      };
      const single: GroupSpec = { group: 'prepare', inputs: ['raw'] };
      const first = bus.join(single, own);
      await until(() => owners === 1);
      let took: (() => void) | undefined;
      const taken = new Promise<void>((resolve) => {
        took = resolve;
      });
      const second = bus.join(single, async (assigned, signal) => {
        took?.();
        await own(assigned, signal);
      });
      await first.leave();
      await taken;
      await expect(former?.transact({ positions: [] })).rejects.toMatchObject({ code: 'EYRIE_FENCED' });
      await second.leave();
      await Promise.all([first.done, second.done]);
    });

    test('a step still waiting when its run ends is refused', async () => {
      await bus.append([frame('events', 'one')]);
      let late: Promise<unknown> | undefined;
      await inGroup(bus, GROUP, 0, async (assigned) => {
        await assigned.poll(POLL);
        late = assigned.transact({ positions: [{ topic: 'events', next: 1 }], outputs: [frame('alerts', 'late')] });
        late.catch(() => undefined);
      });
      await expect(late).rejects.toMatchObject({ code: 'EYRIE_FENCED' });
      expect(await readAll(bus, 'alerts', 0)).toEqual([]);
    });

    test('a run that throws rejects the membership and stops its other partitions', async () => {
      const membership = bus.join(GROUP, async (assigned, signal) => {
        if (assigned.partition === 1) throw new Error('broken');
        while (!signal.aborted) await assigned.poll({ maxBytes: 100, maxWaitMs: 50 });
      });
      await expect(membership.done).rejects.toThrow('broken');
      await membership.leave();
    });

    test('a waiting poll wakes when something arrives', async () => {
      const single: GroupSpec = { group: 'prepare', inputs: ['raw'] };
      let got = 0;
      const membership = bus.join(single, async (assigned, signal) => {
        while (!signal.aborted && got < 5) got += (await assigned.poll({ maxBytes: 1_000, maxWaitMs: 10_000 })).length;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (let i = 0; i < 5; i += 1) {
        const started = performance.now();
        await bus.append([frame('raw', `${i}`)]);
        await until(() => got === i + 1);
        expect(performance.now() - started).toBeLessThan(1_000);
      }
      await membership.done;
    });

    test('leaving ends a waiting poll', async () => {
      let isPolling = false;
      const membership = bus.join({ group: 'prepare', inputs: ['raw'] }, async (assigned, signal) => {
        isPolling = true;
        while (!signal.aborted) await assigned.poll({ maxBytes: 100, maxWaitMs: 60_000 });
      });
      await until(() => isPolling);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await membership.leave();
      await membership.done;
    });

    test('follow gives what is there and what comes, in order, and ends on abort', async () => {
      const before = await bus.append([frame('raw', 'one'), frame('raw', 'two')]);
      const from = Array.from({ length: bus.partitions('raw') }, () => 0);
      from[0] = before[1]?.offset ?? 0;
      const seen: string[] = [];
      let reached = 0;
      const abort = new AbortController();
      const followed = bus.follow(
        'raw',
        from,
        (partition, records, next) => {
          if (partition !== 0) return;
          seen.push(...records.map(({ value }) => value.toString()));
          reached = next;
        },
        abort.signal,
      );
      // Whoever follows may still set up what takes the records.
      expect(seen).toEqual([]);
      await until(() => seen.length === 1);
      await bus.append([frame('raw', 'three'), frame('raw', 'four')]);
      await until(() => seen.length === 3);
      expect(seen).toEqual(['two', 'three', 'four']);
      expect(reached).toBeGreaterThanOrEqual((await bus.bounds('raw', 0)).end);
      abort.abort();
      await followed;
      await bus.append([frame('raw', 'five')]);
      expect(seen).toHaveLength(3);
    });

    test('a compacted topic keeps the last record of each key, a tombstone too', async () => {
      const put = (key: string, value: string): Output => ({
        topic: 'documents',
        partition: 0,
        key,
        value: Buffer.from(value),
      });
      await bus.append([put('a', '1'), put('b', '1'), put('a', '2')]);
      await bus.append([put('b', ''), put('c', '1')]);
      const left = async () => latest(await readAll(bus, 'documents', 0));
      const expected = new Map([
        ['a', '2'],
        ['b', ''],
        ['c', '1'],
      ]);
      expect(await left()).toEqual(expected);
      bus = await under.reopen();
      expect(await left()).toEqual(expected);
    });

    test('state of many keys is restored whole, in chunks', async () => {
      await inGroup(bus, GROUP, 2, async (assigned) => {
        const state = Array.from({ length: 2_500 }, (_, i) => [`t/${i}`, Buffer.from(`${i}`)] as const);
        await assigned.transact({ positions: [], state });
      });
      bus = await under.reopen();
      await inGroup(bus, GROUP, 2, async (assigned) => {
        const restored = new Map<string, string>();
        for await (const [key, value] of assigned.restore()) restored.set(key, String(value));
        expect(restored.size).toBe(2_500);
        expect(restored.get('t/2499')).toBe('2499');
      });
      expect(await bus.readState('alert-state', 2, 't/1')).toHaveLength(1_111);
      expect(await bus.readState('alert-state', 0, 't/1')).toEqual([]);
    });

    test('a group in use is not removed', async () => {
      const membership = bus.join({ group: 'prepare', inputs: ['raw'] }, async (assigned, signal) => {
        while (!signal.aborted) await assigned.poll({ maxBytes: 100, maxWaitMs: 100 });
      });
      await until(async () => (await bus.groups()).length > 0);
      await expect(bus.removeGroup('prepare')).rejects.toThrow();
      await membership.leave();
    });

    test(
      'killed at every failpoint and at random moments, a process leaves whole steps and all it was promised',
      async () => {
        await crashRounds(under);
      },
      CRASH_TIMEOUT_MS,
    );

    test(
      'random histories equal a list',
      async () => {
        await checkHistories(make);
      },
      HISTORIES_TIMEOUT_MS,
    );

    test('groups are listed with their positions until they are removed', async () => {
      await bus.append([frame('raw', 'one'), frame('raw', 'two')]);
      // Two that read the same partition.
      for (const group of ['prepare', 'archiver']) {
        await inGroup(bus, { group, inputs: ['raw'] }, 0, async (assigned) => {
          const [first] = await assigned.poll({ maxBytes: 1, maxWaitMs: 1_000 });
          await assigned.transact({ positions: [{ topic: 'raw', next: (first?.offset ?? 0) + 1 }] });
        });
      }
      bus = await under.reopen();
      const { end } = await bus.bounds('raw', 0);
      for (const group of ['prepare', 'archiver']) {
        expect(await bus.groups()).toContainEqual({ group, topic: 'raw', partition: 0, next: 1, end });
      }
      await bus.removeGroup('archiver');
      await bus.removeGroup('prepare');
      expect(await bus.groups()).toEqual([]);
      bus = await under.reopen();
      expect(await bus.groups()).toEqual([]);
    });
  });
}

function frame(topic: TopicName, value: string, partition = 0): Output {
  return { topic, partition, value: Buffer.from(value) };
}

function text(record: BusRecord): string {
  return record.value.toString('utf8');
}

async function pollAll(assigned: Assigned, count: number): Promise<BusRecord[]> {
  const records: BusRecord[] = [];
  while (records.length < count) records.push(...(await assigned.poll(POLL)));
  return records;
}

/** Runs `work` as the owner of one partition, then leaves. */
async function inGroup(
  bus: Bus,
  spec: GroupSpec,
  partition: number,
  work: (assigned: Assigned) => Promise<void>,
): Promise<void> {
  const membership = bus.join(spec, async (assigned) => {
    if (assigned.partition === partition) await work(assigned);
  });
  await membership.done;
}

function latest(records: readonly BusRecord[]): Map<string, string> {
  return new Map(records.map((record) => [record.key ?? '', text(record)]));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
