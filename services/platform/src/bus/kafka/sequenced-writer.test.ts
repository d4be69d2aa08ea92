import { env } from 'node:process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Clock } from '../../clock.ts';
import { type Cluster, CompressionTypes, DecoderClass, decodeRecordBatch } from './internals.ts';
import { SequencedWriter } from './sequenced-writer.ts';

const numRuns = 200 * Number(env['EYRIE_TEST_RUNS'] ?? 1);
const TOPIC = 'judged';
const PARTITIONS = 4;
const NOT_LEADER = 6;
const OUT_OF_ORDER = 45;

/** What befalls one request. */
const FAULTS = ['none', 'lost', 'answer-lost', 'moved', 'slow'] as const;
type Fault = (typeof FAULTS)[number] | 'gap';

/** Brokers as Kafka's are to a producer that numbers its batches; `isForgetful` takes every batch for a new one. */
class Brokers {
  readonly logs = Array.from({ length: PARTITIONS }, (): string[] => []);
  readonly #bases = Array.from({ length: PARTITIONS }, () => new Map<number, number>());
  readonly #next = Array.from({ length: PARTITIONS }, () => 0);
  readonly #leaders = Array.from({ length: PARTITIONS }, (_, partition) => partition % 2);
  readonly #faults: Fault[];
  readonly #isForgetful: boolean;
  requests = 0;

  constructor(faults: readonly Fault[], isForgetful = false) {
    this.#faults = [...faults];
    this.#isForgetful = isForgetful;
  }

  cluster(): Cluster {
    const known = [...this.#leaders];
    const learn = async () => {
      known.splice(0, PARTITIONS, ...this.#leaders);
    };
    return {
      isConnected: () => true,
      refreshMetadata: learn,
      refreshMetadataIfNecessary: async () => undefined,
      addMultipleTargetTopics: async () => undefined,
      findTopicPartitionMetadata: () => known.map((leader, partitionId) => ({ partitionId, leader })),
      // Never the same object twice, as after a connection that broke.
      findBroker: async ({ nodeId }: { nodeId: string }) => ({
        connectionPool: { send: (sent: Sent) => this.#meet(Number(nodeId), sent) },
      }),
    } as unknown as Cluster;
  }

  async #meet(node: number, { request, response }: Sent): Promise<unknown> {
    this.requests += 1;
    const fault = this.#faults.shift() ?? 'none';
    const parts = partsOf((await request.encode()).buffer);
    if (fault === 'lost') throw new Error('read ECONNRESET');
    if (fault === 'moved') this.#leaders.reverse();
    // Others fail meanwhile, and this one is taken all the same.
    if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 2));
    const answers: (readonly [partition: number, code: number, base: number])[] = [];
    for (const [partition, batch] of parts) {
      const [code, base] = fault === 'gap' ? [OUT_OF_ORDER, -1] : await this.#append(node, partition, batch);
      answers.push([partition, code, base]);
    }
    if (fault === 'answer-lost') throw new Error('read ECONNRESET');
    return response.parse(await response.decode(encode(answers)));
  }

  async #append(node: number, partition: number, batch: Buffer): Promise<readonly [code: number, base: number]> {
    if (this.#leaders[partition] !== node) return [NOT_LEADER, -1];
    const decoded = (await decodeRecordBatch(new DecoderClass(batch))) as Awaited<
      ReturnType<typeof decodeRecordBatch>
    > & { readonly firstSequence: number };
    const sequence = decoded.firstSequence;
    const known = this.#bases[partition]?.get(sequence);
    if (known !== undefined && !this.#isForgetful) return [0, known];
    if (sequence !== this.#next[partition] && !this.#isForgetful) return [OUT_OF_ORDER, -1];
    const log = this.logs[partition] ?? [];
    const base = log.length;
    this.#bases[partition]?.set(sequence, base);
    this.#next[partition] = sequence + decoded.records.length;
    log.push(...decoded.records.map(({ value }) => String(value)));
    return [0, base];
  }
}

interface Sent {
  readonly request: { encode(): Promise<{ readonly buffer: Buffer }> };
  readonly response: { decode(raw: Buffer): Promise<unknown>; parse(data: unknown): Promise<unknown> };
}

/** Of a request without a transactional id and with one topic. */
function partsOf(body: Buffer): [partition: number, batch: Buffer][] {
  let at = 2 + 2 + 4 + 4 + 2 + TOPIC.length;
  const parts: [number, Buffer][] = [];
  let left = body.readInt32BE(at);
  for (at += 4; left > 0; left -= 1) {
    const length = body.readInt32BE(at + 4);
    parts.push([body.readInt32BE(at), body.subarray(at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return parts;
}

function encode(answers: readonly (readonly [partition: number, code: number, base: number])[]): Buffer {
  const head = Buffer.alloc(10 + TOPIC.length);
  head.writeInt32BE(1);
  head.writeInt16BE(TOPIC.length, 4);
  head.write(TOPIC, 6);
  head.writeInt32BE(answers.length, 6 + TOPIC.length);
  const rows = answers.map(([partition, code, base]) => {
    const row = Buffer.alloc(30);
    row.writeInt32BE(partition);
    row.writeInt16BE(code, 4);
    row.writeBigInt64BE(BigInt(base), 6);
    return row;
  });
  return Buffer.concat([head, ...rows, Buffer.alloc(4)]);
}

function writerTo(brokers: Brokers, patienceMs = 1_000_000): SequencedWriter {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  };
  const identity = { producerId: 1n, producerEpoch: 0 };
  const cluster = brokers.cluster();
  return new SequencedWriter({
    cluster,
    clock,
    identity,
    compression: CompressionTypes.None,
    patienceMs,
    principal: 'x',
  });
}

const rounds = (counts: readonly (readonly number[])[]) =>
  counts.map((row, round) =>
    row.flatMap((count, partition) =>
      count === 0 ? [] : [{ partition, values: Array.from({ length: count }, (_, i) => `${round}/${partition}/${i}`) }],
    ),
  );

/** Appends round after round, and says what came of it. */
async function append(brokers: Brokers, counts: readonly (readonly number[])[]) {
  const writer = writerTo(brokers);
  const expected = Array.from({ length: PARTITIONS }, (): string[] => []);
  for (const portions of rounds(counts)) {
    const offsets = await writer.append(
      portions.map(({ partition, values }) => ({
        topic: TOPIC,
        partition,
        records: values.map((value) => ({ value: Buffer.from(value) })),
      })),
      1,
    );
    expect(offsets).toEqual(portions.map(({ partition }) => expected[partition]?.length));
    for (const { partition, values } of portions) expected[partition]?.push(...values);
  }
  return expected;
}

const counts = fc.array(fc.array(fc.nat({ max: 3 }), { minLength: PARTITIONS, maxLength: PARTITIONS }), {
  minLength: 1,
  maxLength: 6,
});

it('each record is there once and in order, whatever befalls requests, connections and leaders', async () => {
  await fc.assert(
    fc.asyncProperty(counts, fc.array(fc.constantFrom(...FAULTS), { maxLength: 12 }), async (rows, faults) => {
      const brokers = new Brokers(faults);
      const expected = await append(brokers, rows);
      expect(brokers.logs).toEqual(expected);
    }),
    { numRuns },
  );
});

it('negative control: brokers that do not know a repeat double it', async () => {
  const brokers = new Brokers(['answer-lost'], true);
  await append(brokers, [[1, 0, 0, 0]]).catch(() => undefined);
  expect(brokers.logs[0]).toEqual(['0/0/0', '0/0/0']);
});

it('what a leader has taken is not sent again when another one fails', async () => {
  const brokers = new Brokers(['none', 'lost']);
  await append(brokers, [[1, 1, 1, 1]]);
  expect(brokers.requests).toBe(3);
});

it('a gap in the numbers is an error at once', async () => {
  const brokers = new Brokers(['gap']);
  await expect(append(brokers, [[1, 0, 0, 0]])).rejects.toMatchObject({
    code: 'EYRIE_BUS_UNAVAILABLE',
    message: expect.stringContaining('OUT_OF_ORDER_SEQUENCE_NUMBER'),
  });
  expect(brokers.requests).toBe(1);
});

it('tells whether anything may still be under way', async () => {
  const faults = Array.from({ length: 1_000 }, (): Fault => 'lost');
  const one = { topic: TOPIC, partition: 0, records: [{ value: Buffer.from('a') }] };
  const [settled, unsettled] = [writerTo(new Brokers(['lost'])), writerTo(new Brokers(faults), 5_000)];
  await settled.append([one], 1);
  expect(settled.isSettled).toBe(true);
  await unsettled.append([one], 1).catch(() => undefined);
  expect(unsettled.isSettled).toBe(false);
});

it('is patient for so long, and says why', async () => {
  const faults = Array.from({ length: 1_000 }, (): Fault => 'lost');
  const one = { topic: TOPIC, partition: 0, records: [{ value: Buffer.from('a') }] };
  await expect(writerTo(new Brokers(faults), 5_000).append([one], 1)).rejects.toMatchObject({
    code: 'EYRIE_BUS_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('ECONNRESET'),
  });
});
