import type { Output } from '@eyrie/platform/bus/bus';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { Names } from '@eyrie/platform/bus/kafka/names';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { Transactor } from '@eyrie/platform/bus/kafka/transactor';
import { systemClock } from '@eyrie/platform/clock';
import { readAll } from '@eyrie/platform/testing/contracts/read-all';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBus } from './kafka-child.ts';
import { PARTITIONS, type TemporaryKafka } from './temporary-bus.ts';

/** What Kafka does to a log behind our back, and what a step may hold. */
export function describeLogs(make: () => Promise<TemporaryKafka>): void {
  describe('logs on Kafka', () => {
    let under: TemporaryKafka;

    beforeEach(async () => {
      under = await make();
    });
    afterEach(() => under.remove());

    test('processes that start together agree on the identities, and a topic made anew has another one', async () => {
      const buses = await Promise.all([1, 2, 3].map(() => openBus(under.child.argument)));
      const identities = buses.map((bus) => [0, 1, 2].map((partition) => bus.logIdentity('alerts', partition)));
      expect(new Set(identities.flat()).size).toBe(3);
      for (const own of identities) expect(own).toEqual(identities[0]);
      await Promise.all(buses.map((bus) => bus.close()));
      const raw = under.bus.logIdentity('raw', 0);
      const bus = await under.reopen(async () => {
        const admin = new Client(under.options).admin();
        await admin.connect();
        await admin.deleteTopics({ topics: [`${under.options.prefix}raw`] });
        await admin.disconnect();
        await createTopics({ ...under.options, partitions: PARTITIONS, replicationFactor: 1 });
      });
      expect(bus.logIdentity('raw', 0)).not.toBe(raw);
      expect(bus.logIdentity('alerts', 2)).toBe(identities[0]?.[2]);
    });

    test('topics that are missing are named', async () => {
      await expect(
        openBus(JSON.stringify({ brokers: under.options.brokers, prefix: 'nothing-' })),
      ).rejects.toMatchObject({
        code: 'EYRIE_CONFIG_INVALID',
        message: expect.stringContaining('nothing-raw'),
      });
    });

    test('records removed before a group read them are counted as loss', async () => {
      const outputs = Array.from(
        { length: 10 },
        () => ({ topic: 'raw', partition: 0, value: Buffer.from('x') }) as const,
      );
      await under.bus.append(outputs);
      const group = { group: 'prepare', inputs: ['raw'] } as const;
      await under.bus.join(group, async () => undefined).done;
      const admin = new Client(under.options).admin();
      await admin.connect();
      // Makes the library look for the topic's leader.
      await admin.fetchTopicOffsets(`${under.options.prefix}raw`);
      await admin.deleteTopicRecords({
        topic: `${under.options.prefix}raw`,
        partitions: [{ partition: 0, offset: '4' }],
      });
      await admin.disconnect();
      let next = 0;
      await under.bus.join(group, async (assigned) => {
        next = assigned.position('raw').next;
        expect((await assigned.poll({ maxBytes: 100, maxWaitMs: 2_000 }))[0]?.offset).toBe(4);
      }).done;
      expect(next).toBe(4);
      expect(await readAll(under.bus, 'health', 0)).toHaveLength(1);
      expect((await under.bus.bounds('raw', 0)).start).toBe(4);
    });

    test('what several writers of one partition gave up in the middle never shows', async () => {
      const client = new Client(under.options);
      const names = new Names(under.options.prefix);
      const clock = systemClock;
      const kept: string[] = [];
      await Promise.all(
        ['a', 'b', 'c'].map(async (writer, number) => {
          const transactor = await Transactor.fence({
            client,
            names,
            clock,
            transactionalId: writer,
            timeoutMs: 10_000,
          });
          for (let step = 0; step < 30; step += 1) {
            const isKept = (step + number) % 3 !== 0;
            const value = `${writer}${step}`;
            const committed = transactor.commit('test', {
              positions: [{ topic: names.topic('raw'), partition: 0, next: 0 }],
              state: [],
              outputs: [{ topic: 'dead-letter', partition: 0, value: Buffer.from(value) }],
              check: () => {
                if (!isKept) throw new RangeError('given up');
              },
            });
            if (isKept) kept.push(await committed.then(() => value));
            else await expect(committed).rejects.toThrow('given up');
          }
          await transactor.close();
        }),
      );
      const bus = await under.reopen();
      const found = (await readAll(bus, 'dead-letter', 0)).map(({ value }) => value.toString('utf8'));
      expect(found).toHaveLength(60);
      expect(new Set(found)).toEqual(new Set(kept));
    });

    test('a step and an append may be larger than a request, and a key changed twice is written once', async () => {
      const value = Buffer.alloc(100_000, 'v');
      const group = { group: 'judge', inputs: ['events'], state: 'alert-state' } as const;
      const many = (topic: 'alerts' | 'raw'): Output[] =>
        Array.from({ length: 40 }, (_, i) => ({ topic, partition: 0, key: `${i}`, value }));
      await under.bus.join(group, async (assigned) => {
        if (assigned.partition !== 0) return;
        const state = Array.from({ length: 60 }, (_, i) => [`${i % 30}`, i < 30 ? null : value] as const);
        const appended = await assigned.transact({ positions: [], state, outputs: many('alerts') });
        expect(appended.map(({ offset }) => offset)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      }).done;
      expect(await under.bus.append(many('raw'))).toHaveLength(40);
      expect((await readAll(under.bus, 'alerts', 0)).map(({ key }) => Number(key))).toEqual(range(40));
      expect((await readAll(under.bus, 'raw', 0)).map(({ key }) => Number(key))).toEqual(range(40));
      expect(await under.bus.readState('alert-state', 0, '')).toHaveLength(30);
      // Thirty records and the marker.
      expect((await under.bus.bounds('alert-state', 0)).end).toBe(31);
      await expect(under.bus.append([{ topic: 'raw', partition: 0, value: Buffer.alloc(3_000_000) }])).rejects.toThrow(
        RangeError,
      );
    });
  });
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
