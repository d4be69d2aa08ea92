import type { Output } from '@eyrie/platform/bus/bus';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { COMPRESSIONS, type Compression } from '@eyrie/platform/bus/kafka/settings';
import { readAll } from '@eyrie/platform/testing/contracts/read-all';
import { afterEach, describe, expect, test } from 'vitest';
import type { TemporaryKafka } from './temporary-bus.ts';

const TEXT = Buffer.from('{"rule":"Terminal shell in container","priority":"Notice"}\n'.repeat(2_000));
/** Less than the text, more than what any codec leaves of it. */
const NARROW_BYTES = 40_000;
const BOMB_BYTES = 70 * 1024 * 1024;

/** What is written compressed, and what others wrote so. */
export function describeCompression(make: (raw?: Readonly<Record<string, string>>) => Promise<TemporaryKafka>): void {
  describe('compression on Kafka', () => {
    let under: TemporaryKafka;

    afterEach(() => under.remove());

    test.for(COMPRESSIONS)('%s: appends, steps, keys and tombstones come back as they were', async (compression) => {
      under = await make();
      const bus = await openKafka({ ...under.options, compression });
      const outputs: Output[] = [
        { topic: 'documents', partition: 0, key: 'a', value: TEXT },
        { topic: 'documents', partition: 0, key: 'b', value: Buffer.from([0, 255, 1]) },
        { topic: 'documents', partition: 0, key: 'a', value: Buffer.alloc(0) },
      ];
      await bus.append(outputs);
      await bus.join({ group: 'judge', inputs: ['events'], state: 'alert-state' }, async (assigned) => {
        const { partition } = assigned;
        const state = [[`state ${partition}`, TEXT]] as const;
        await assigned.transact({ positions: [], state, outputs: [{ topic: 'alerts', partition, value: TEXT }] });
      }).done;
      await bus.close();
      const found = await readAll(under.bus, 'documents', 0);
      expect(found.map(({ key, value }) => [key, value])).toEqual(outputs.map(({ key, value }) => [key, value]));
      expect(await under.bus.readState('alert-state', 1, '')).toEqual([['state 1', TEXT]]);
      expect((await readAll(under.bus, 'alerts', 2)).map(({ value }) => value)).toEqual([TEXT]);
    });

    test('what is written is compressed: a topic too narrow for the text takes it', async () => {
      under = await make();
      const compressions = ['gzip', 'snappy', 'zstd'] as const;
      const open = (compression: Compression) => openKafka({ ...under.options, compression });
      const plain = await open('none');
      const buses = await Promise.all(compressions.map(open));
      const output = { topic: 'raw', partition: 0, value: TEXT } as const;
      await narrow('raw');
      // The setting takes effect some moments later.
      let refusal: unknown;
      while (refusal === undefined)
        refusal = await plain.append([output]).then(
          () => undefined,
          (error) => error,
        );
      expect(refusal).toMatchObject({ code: 'EYRIE_CONFIG_INVALID' });
      const { end } = await under.bus.bounds('raw', 0);
      for (const bus of buses) await bus.append([output]);
      expect((await under.bus.bounds('raw', 0)).end).toBe(end + 3);
      await Promise.all([plain, ...buses].map((bus) => bus.close()));
    });

    async function narrow(topic: string): Promise<void> {
      const admin = new Client(under.options).admin();
      await admin.connect();
      const configEntries = [{ name: 'max.message.bytes', value: String(NARROW_BYTES) }];
      const resources = [{ type: 2, name: `${under.options.prefix}${topic}`, configEntries }];
      await admin.alterConfigs({ validateOnly: false, resources });
      await admin.disconnect();
    }

    test.for(['gzip', 'snappy', 'lz4', 'zstd'])('%s as Java writes it is read', async (codec) => {
      under = await make({ 'compression.type': codec, 'max.message.bytes': String(4 * 1024 * 1024) });
      const outputs = [TEXT, Buffer.from('short'), Buffer.alloc(300_000, 'x')].map((value) => ({
        topic: 'raw' as const,
        partition: 0,
        value,
      }));
      await under.bus.append(outputs);
      expect((await readAll(under.bus, 'raw', 0)).map(({ value }) => value)).toEqual(outputs.map(({ value }) => value));
    });

    // Snappy saves at most a factor of about 20.
    test.for(['gzip', 'zstd'] as const)(
      'a batch of %s that opens to more than memory should hold is passed over and counted',
      async (compression) => {
        under = await make({ 'max.message.bytes': String(2 * 1024 * 1024) });
        const client = new Client({ ...under.options, compression });
        const producer = client.producer();
        await producer.connect();
        const messages = [{ key: null, value: Buffer.alloc(BOMB_BYTES), partition: 0 }];
        const topicMessages = [{ topic: `${under.options.prefix}raw`, messages }];
        await producer.sendBatch({ acks: -1, compression: client.compression, topicMessages });
        await producer.disconnect();
        await under.bus.append([{ topic: 'raw', partition: 0, value: TEXT }]);
        expect((await readAll(under.bus, 'raw', 0)).map(({ offset }) => offset)).toEqual([1]);
        await under.bus.join({ group: 'prepare', inputs: ['raw'] }, async (assigned) => {
          const records = await assigned.poll({ maxBytes: 1_000, maxWaitMs: 5_000 });
          expect(records.map(({ value }) => value)).toEqual([TEXT]);
        }).done;
        expect(await under.options.metrics.text()).toMatch(
          /eyrie_bound_reached_total\{bound="bus_opened_batch"\} [1-9]/,
        );
      },
    );
  });
}
