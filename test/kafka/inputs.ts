import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Bus, BusRecord } from '@eyrie/platform/bus/bus';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { systemClock } from '@eyrie/platform/clock';
import { readAll } from '@eyrie/platform/testing/contracts/read-all';
import { createPrepare } from '@eyrie/processor';
import { type DeadLetter, decodeRawFrame, FrameReader, type HealthRecord, type RawMeta } from '@eyrie/schemas';
import { FALCO_LINES } from '@eyrie/schemas/fixtures';
import type { InputEntry } from '@eyrie/schemas/inputs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createInput } from '../../bench/input.ts';
import { SHIPPERS } from '../../services/processor/src/testing/shippers.ts';
import { startInputs } from './input-child.ts';
import type { TemporaryKafka } from './temporary-bus.ts';

const KILLS = 4 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const TIMEOUT_MS = 120_000;
const LINE = FALCO_LINES.falcosidekick;
const BOMB_BYTES = 70 * 1024 * 1024;

/** Its failpoint kills it. */
const NEVER = -1;

interface Message {
  readonly partition: number;
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Topics of other programs: what is written there becomes lines of `raw`, each record once. */
export function describeInputs(make: () => Promise<TemporaryKafka>): void {
  describe('inputs on Kafka', () => {
    let under: TemporaryKafka;
    let topic: string;
    let client: Client;
    const closers: (() => Promise<unknown>)[] = [];

    beforeEach(async () => {
      under = await make();
      topic = `their-${under.options.prefix}falco`;
      client = new Client(under.options);
    });
    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
      await admin(async (one) => one.deleteTopics({ topics: [topic] }).catch(() => undefined));
      await under.remove();
    });

    async function admin<T>(work: (one: ReturnType<Client['admin']>) => Promise<T>): Promise<T> {
      const one = client.admin();
      await one.connect();
      try {
        return await work(one);
      } finally {
        await one.disconnect();
      }
    }

    async function makeTopic(numPartitions: number, settings: Readonly<Record<string, string>> = {}): Promise<void> {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await admin(async (one) => {
        const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }];
        await one.createTopics({ waitForLeaders: false, topics });
        await known(one, numPartitions);
      });
    }

    /** Partitions that were made are known, and have a leader, a moment later. */
    async function known(one: ReturnType<Client['admin']>, count: number): Promise<void> {
      await until(async () => (await one.fetchTopicOffsets(topic).catch(() => [])).length === count);
    }

    /** As falcosidekick does: no keys, one event a record. */
    async function produce(messages: readonly Message[], writing: Client = client): Promise<void> {
      const producer = writing.producer();
      await producer.connect();
      const sent = messages.map(({ partition, value, headers }) => ({
        key: null,
        value: typeof value === 'string' ? Buffer.from(value) : value,
        partition,
        ...(headers !== undefined && { headers: { ...headers } }),
      }));
      const compression = writing.compression;
      await producer.sendBatch({ acks: -1, compression, topicMessages: [{ topic, messages: sent }] });
      await producer.disconnect();
    }

    async function run(entry: Partial<InputEntry> = {}, bus: Bus = under.bus): Promise<() => Promise<void>> {
      const gateway = await startInputs(bus, [inputOf(entry)]);
      let stopping: Promise<void> | undefined;
      const stop = () => {
        stopping ??= gateway.stop();
        return stopping;
      };
      closers.push(stop);
      return stop;
    }

    function inputOf(entry: Partial<InputEntry>): InputEntry {
      return { topic, tenant: 'acme', cluster: 'prod', format: 'auto', start: 'earliest', ...entry };
    }

    test(
      'each record becomes a line once, in the order of its partition, in few frames, over restarts',
      async () => {
        await makeTopic(3);
        const messages = Array.from({ length: 3_000 }, (_, i) => ({
          partition: i % 3,
          value: i % 500 === 7 ? null : LINE.replace('node-1', `node-${i}`),
        }));
        await produce(messages.slice(0, 1_500));
        await (await run())();
        await produce(messages.slice(1_500));
        await run();
        const found = await linesOf(under.bus, messages.length);
        expect(found.map(({ place }) => place).sort()).toEqual(places(3, 1_000));
        for (const partition of [0, 1, 2]) {
          const own = found.filter(({ meta }) => meta.record?.partition === partition).map(({ line }) => line);
          const sent = messages.filter((one) => one.partition === partition).map(({ value }) => value ?? '');
          expect(own).toEqual(sent);
        }
        expect(found[0]?.meta).toMatchObject({ tenant: 'acme', cluster: 'prod', origin: 'topic' });
        expect((await readAll(under.bus, 'raw', 0)).length).toBeLessThan(60);
      },
      TIMEOUT_MS,
    );

    test(
      'killed again and again in the middle, a process leaves each record once',
      async () => {
        await makeTopic(2);
        let sent = 0;
        const rounds = ['before-log-commit:1', 'before-log-commit:2', 'after-log-commit:1', 'before-position-commit:2'];
        for (let round = 0; round < rounds.length + KILLS; round += 1) {
          const messages = Array.from({ length: 400 }, (_, i) => ({ partition: i % 2, value: LINE }));
          await produce(messages);
          sent += messages.length;
          const child = startChild(under, inputOf({}), { failpoint: rounds[round] });
          if (rounds[round] === undefined) await said(child, 'started');
          await killed(child, rounds[round] === undefined ? Math.random() * 1_500 : NEVER);
        }
        await run();
        const found = await linesOf(under.bus, sent);
        expect(found.map(({ place }) => place).sort()).toEqual(places(2, sent / 2));
      },
      TIMEOUT_MS * 2,
    );

    test(
      'gateways share the partitions; what one held when it was killed the other takes up, each record once',
      async () => {
        await makeTopic(4);
        await run();
        let sent = 0;
        for (let round = 0; round < 3; round += 1) {
          const child = startChild(under, inputOf({}), {});
          await said(child, 'started');
          const soon = killed(child, 1_500 + Math.random() * 1_500);
          for (let part = 0; part < 10; part += 1) {
            await produce(Array.from({ length: 40 }, (_, i) => ({ partition: i % 4, value: LINE })));
            sent += 40;
          }
          await soon;
        }
        const found = await linesOf(under.bus, sent);
        expect(found.map(({ place }) => place).sort()).toEqual(places(4, sent / 4));
      },
      TIMEOUT_MS,
    );

    test(
      'lines and position written one after the other would double records: the oracle sees it',
      async () => {
        await makeTopic(1);
        await produce(Array.from({ length: 50 }, () => ({ partition: 0, value: LINE })));
        const child = startChild(under, inputOf({}), { isApart: true });
        await said(child, 'appended');
        await killed(child);
        await run();
        const found = await linesOf(under.bus, 100);
        expect(found).toHaveLength(100);
      },
      TIMEOUT_MS,
    );

    test(
      'partitions added while it runs are read from their first record, whatever the start',
      async () => {
        await makeTopic(1);
        await produce([{ partition: 0, value: 'before anybody read' }]);
        const bus = await openKafka({ ...under.options, partitionsMs: 200 });
        closers.push(() => bus.close());
        await run({ start: 'latest' }, bus);
        await until(async () => (await committed()).length === 1);
        await produce([{ partition: 0, value: LINE }]);
        await admin((one) => one.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
        await admin((one) => known(one, 3));
        await produce([1, 2].map((partition) => ({ partition, value: LINE })));
        const found = await linesOf(under.bus, 3);
        expect(found.map(({ place }) => place).sort()).toEqual(['0/1', '1/0', '2/0']);
      },
      TIMEOUT_MS,
    );

    async function committed() {
      const groupId = `${under.options.prefix}input.${topic}`;
      const [one] = await admin((asking) => asking.fetchOffsets({ groupId, topics: [topic] }));
      return (one?.partitions ?? []).filter(({ offset }) => Number(offset) >= 0);
    }

    test(
      'a topic made anew while it runs is read from its first record, whatever the start',
      async () => {
        await makeTopic(1);
        await produce(Array.from({ length: 5 }, () => ({ partition: 0, value: 'before anybody read' })));
        await run({ start: 'latest' });
        await until(async () => (await committed()).length === 1);
        await admin((one) => one.deleteTopics({ topics: [topic] }));
        await until(async () => !(await admin((one) => one.listTopics())).includes(topic));
        await makeTopic(1);
        await produce([{ partition: 0, value: LINE }]);
        expect((await linesOf(under.bus, 1)).map(({ place }) => place)).toEqual(['0/0']);
      },
      TIMEOUT_MS,
    );

    test(
      'records removed before they were read are counted as loss, and it goes on behind them',
      async () => {
        await makeTopic(1);
        await produce(Array.from({ length: 10 }, () => ({ partition: 0, value: LINE })));
        const stop = await run();
        await linesOf(under.bus, 10);
        await stop();
        await produce(Array.from({ length: 10 }, () => ({ partition: 0, value: LINE })));
        await admin(async (one) => {
          await one.fetchTopicOffsets(topic);
          await one.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '14' }] });
        });
        await run();
        const found = await linesOf(under.bus, 16);
        expect(found.slice(10).map(({ place }) => place)).toEqual(['0/14', '0/15', '0/16', '0/17', '0/18', '0/19']);
        const [loss] = (await healthOf(under.bus)).filter(({ kind }) => kind === 'loss');
        expect(loss).toMatchObject({ count: 4, fields: { topic, from: '10', to: '14' } });
      },
      TIMEOUT_MS,
    );

    test(
      'what cannot be taken never blocks: set aside with its place and counted, or kept in part',
      async () => {
        await makeTopic(1, { 'max.message.bytes': String(4 * 1024 * 1024) });
        await produce([{ partition: 0, value: LINE }]);
        const zstd = new Client({ ...under.options, compression: 'zstd' });
        await produce([{ partition: 0, value: Buffer.alloc(BOMB_BYTES) }], zstd);
        await produce([
          { partition: 0, value: Buffer.from([0xff, 0, 0x0a, 0xfe]) },
          { partition: 0, value: 'x'.repeat(2_000_000) },
          { partition: 0, value: LINE },
        ]);
        await run();
        const found = await linesOf(under.bus, 4);
        expect(found.map(({ place }) => place)).toEqual(['0/0', '0/2', '0/3', '0/4']);
        expect(found[2]?.meta.oversize?.[0]).toMatchObject({ bytes: 2_000_000 });
        const letters = (await readAll(under.bus, 'dead-letter', 0)).map(parse<DeadLetter>);
        expect(letters).toEqual([
          expect.objectContaining({ stage: 'inputs', reason: 'unreadable', topic, tenant: 'acme', cluster: 'prod' }),
        ]);
        expect(letters[0]?.raw_pos).toMatchObject({ partition: 0, offset: 1 });
        const [refused] = (await healthOf(under.bus)).filter(({ kind }) => kind === 'refused');
        expect(refused).toMatchObject({ tenant: 'acme', count: 1, fields: { topic, from: '1', to: '1' } });
      },
      TIMEOUT_MS,
    );

    test.for(['gzip', 'snappy', 'lz4', 'zstd'])('%s as other programs write it is read', async (codec) => {
      await makeTopic(1, { 'compression.type': codec });
      const values = Array.from({ length: 200 }, (_, i) => LINE.replace('node-1', `node-${i}`));
      await produce(values.map((value) => ({ partition: 0, value })));
      await run();
      expect((await linesOf(under.bus, 200)).map(({ line }) => line)).toEqual(values);
    });

    test('the cluster comes from the header where the mapping says so, and never from elsewhere', async () => {
      await makeTopic(1);
      await produce([
        { partition: 0, value: LINE, headers: { place: 'east' } },
        { partition: 0, value: LINE, headers: { place: 'west', other: 'north' } },
        { partition: 0, value: LINE, headers: { other: 'north' } },
      ]);
      await run({ cluster: '*', cluster_header: 'place' });
      const found = await linesOf(under.bus, 3);
      expect(found.map(({ meta }) => [meta.cluster, meta.header_cluster])).toEqual([
        ['*', 'east'],
        ['*', 'west'],
        ['*', undefined],
      ]);
    });

    test(
      'one observation has one event id, posted or through whatever shipper writes the topic',
      async () => {
        const lines = createInput({ seed: 3, workloads: 4 }).lines(40);
        const shipped = [...Object.values(SHIPPERS), (line: string) => line].flatMap((ship) => lines.map(ship));
        await makeTopic(2);
        await produce(shipped.map((value, i) => ({ partition: i % 2, value })));
        await run({ format: 'fluentbit' });
        const prepare = createPrepare({
          bus: under.bus,
          clock: systemClock,
          log: under.options.log,
          metrics: under.options.metrics,
          onFailure: (error) => {
            throw error;
          },
        });
        await prepare.start();
        closers.push(() => prepare.stop());
        let ids: string[] = [];
        await until(async () => {
          const frames = await Promise.all([0, 1, 2].map((partition) => readAll(under.bus, 'events', partition)));
          ids = frames.flat().flatMap(idsOf);
          return ids.length >= shipped.length;
        });
        expect(ids).toHaveLength(shipped.length);
        expect(new Set(ids).size).toBe(lines.length);
      },
      TIMEOUT_MS,
    );

    test('a topic that is not there is named at the start', async () => {
      await expect(startInputs(under.bus, [inputOf({ topic: 'their-falko' })])).rejects.toMatchObject({
        code: 'EYRIE_CONFIG_INVALID',
        message: expect.stringContaining('entry 1 (topic their-falko): Kafka has no such topic'),
      });
    });

    test('steps of others that were given up are no records', async () => {
      await makeTopic(1);
      const producer = client.transactionalProducer(`their-${under.options.prefix}`, 10_000);
      await producer.connect();
      for (const isKept of [false, true, false, true]) {
        const transaction = await producer.transaction();
        const messages = [{ key: null, value: Buffer.from(isKept ? LINE : 'given up'), partition: 0 }];
        await transaction.sendBatch({ acks: -1, topicMessages: [{ topic, messages }] });
        await (isKept ? transaction.commit() : transaction.abort());
      }
      await producer.disconnect();
      await run();
      expect((await linesOf(under.bus, 2)).map(({ place, line }) => [place, line])).toEqual([
        ['0/2', LINE],
        ['0/6', LINE],
      ]);
    });
  });
}

interface Found {
  readonly meta: RawMeta;
  /** `partition/offset` of the record it was. */
  readonly place: string;
  readonly line: string;
}

/** All lines of `raw`, once there are so many and no more come. */
async function linesOf(bus: Bus, count: number): Promise<Found[]> {
  let found: Found[] = [];
  await until(async () => {
    found = (await readAll(bus, 'raw', 0)).flatMap(decode);
    return found.length >= count;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (await readAll(bus, 'raw', 0)).flatMap(decode);
}

function decode({ value }: BusRecord): Found[] {
  return decodeRawFrame(value).flatMap(({ meta, lines }) =>
    lines.map((line, index) => {
      const { partition = -1, first = -1, last = -1 } = meta.record ?? {};
      return { meta, place: `${partition}/${first === last ? first : first + index}`, line: line.toString('utf8') };
    }),
  );
}

function idsOf({ value }: BusRecord): string[] {
  const reader = new FrameReader(value, 'events');
  return Array.from({ length: reader.entries }, () => {
    const { event_id } = JSON.parse(reader.nextText()) as { event_id: string };
    reader.skip(1);
    return event_id;
  });
}

async function healthOf(bus: Bus): Promise<HealthRecord[]> {
  return (await readAll(bus, 'health', 0)).map(parse<HealthRecord>);
}

function parse<T>({ value }: BusRecord): T {
  return JSON.parse(value.toString('utf8')) as T;
}

function places(partitions: number, offsets: number): string[] {
  const all = Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: offsets }, (_, offset) => `${partition}/${offset}`),
  );
  return all.flat().sort();
}

function startChild(
  under: TemporaryKafka,
  input: InputEntry,
  { failpoint, isApart = false }: { readonly failpoint?: string | undefined; readonly isApart?: boolean },
): ChildProcess {
  const args = [under.child.argument, JSON.stringify([input]), isApart ? 'apart' : 'together'];
  return spawn(process.execPath, [join(import.meta.dirname, 'input-child.ts'), ...args], {
    env: { ...process.env, ...(failpoint !== undefined && { EYRIE_FAILPOINT: failpoint }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function said(child: ChildProcess, word: string): Promise<void> {
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes(word)) resolve();
    });
  });
}

/** Kills it after so long, or waits until its failpoint has. */
async function killed(child: ChildProcess, afterMs = 0): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
  if (afterMs !== NEVER) {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    child.kill('SIGKILL');
  }
  expect(await gone).toBe('SIGKILL');
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}
