import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchiver } from '@eyrie/archiver';
import type { Bus } from '@eyrie/platform/bus/bus';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { createTopics } from '@eyrie/platform/bus/kafka/topics';
import { systemClock } from '@eyrie/platform/clock';
import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { type ChdbStore, openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { judgedFrame, testEvent, testJudgement } from '../../services/archiver/src/testing.ts';
import { PARTITIONS, type TemporaryKafka } from './temporary-bus.ts';

const EVENTS = 10;

/** The way from Kafka into the tables where Kafka itself is not what it was. */
export function describeArchiving(make: () => Promise<TemporaryKafka>): void {
  describe('archiving from Kafka', () => {
    let under: TemporaryKafka;
    let store: ChdbStore;
    let directory: string;

    beforeEach(async () => {
      under = await make();
      directory = mkdtempSync(join(tmpdir(), 'eyrie-archiving-'));
      const log = createLogger({ name: 'test', level: 'silent' });
      store = await openChdb({ dataDir: directory, log, metrics: createMetrics() });
      await store.migrate();
    });
    afterEach(async () => {
      await under.remove();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const frame = (n: number) => {
      const entries = Array.from({ length: EVENTS }, (_, i) => [testJudgement(), testEvent(n * EVENTS + i)] as const);
      return { topic: 'judged', partition: n % PARTITIONS.alerts, value: judgedFrame(entries) } as const;
    };

    async function archive(bus: Bus, by: Store = store): Promise<void> {
      const log = createLogger({ name: 'test', level: 'silent' });
      const deps = { bus, store: by, log, metrics: createMetrics(), clock: systemClock };
      const failures: unknown[] = [];
      const archiver = createArchiver({ ...deps, onFailure: (error) => failures.push(error) }, { batchAgeMs: 20 });
      await archiver.start();
      await archiver.caughtUp();
      await archiver.stop();
      expect(failures).toEqual([]);
    }

    async function stored() {
      const [row] = await store.query<{ rows: string; ids: string }>(
        'SELECT count() AS rows, uniqExact(event_id) AS ids FROM eyrie.events',
      );
      return [Number(row?.rows), Number(row?.ids)];
    }

    const madeAgain = () =>
      under.reopen(async () => {
        const admin = new Client(under.options).admin();
        await admin.connect();
        await admin.deleteTopics({ topics: [`${under.options.prefix}judged`] });
        await admin.disconnect();
        await createTopics({ ...under.options, partitions: PARTITIONS, replicationFactor: 1 });
      });

    test('a topic made again under its name: new records at old places are rows, copied ones are not stored again', async () => {
      await under.bus.append([0, 1, 2, 3, 4, 5].map(frame));
      await archive(under.bus);
      expect(await stored()).toEqual([6 * EVENTS, 6 * EVENTS]);
      const bus = await madeAgain();
      await bus.append([6, 7, 8, 3, 4, 5].map(frame));
      await archive(bus);
      expect(await stored()).toEqual([9 * EVENTS, 9 * EVENTS]);
    });

    test('negative control: without the look at what is stored, copied records are stored twice', async () => {
      await under.bus.append([0, 1, 2].map(frame));
      await archive(under.bus);
      const bus = await madeAgain();
      await bus.append([0, 1, 2].map(frame));
      const blind = (sql: string) => sql.includes('LIMIT 1');
      await archive(bus, { ...store, query: async (sql, ...rest) => (blind(sql) ? [] : store.query(sql, ...rest)) });
      expect(await stored()).toEqual([6 * EVENTS, 3 * EVENTS]);
    });
  });
}
