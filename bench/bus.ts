/**
 * Cost of the embedded log alone: frames of 256 KiB through three topics with state and positions while retention
 * removes what was read, then one event a record. Prints one JSON line a figure.
 *
 *     node bench/bus.ts [events]        EYRIE_BUS_SYNC=off shows what durability costs
 *
 * Baselines: the same bytes appended to a plain file and synced as often; the second quarter for the last.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopicName } from '@eyrie/schemas';
import type { Bus } from '../services/platform/src/bus/bus.ts';
import { temporaryLog } from '../services/platform/src/testing/temporary-log.ts';

const EVENTS = Number(process.argv[2] ?? 2_000_000);
const EVENT_BYTES = 1_400;
const FRAME_BYTES = 256 * 1024;
const EVENTS_A_FRAME = Math.floor(FRAME_BYTES / EVENT_BYTES);
const SINGLE_EVENTS = Math.min(100_000, Math.ceil(EVENTS / 4));
const CONNECTIONS = 32;
const QUARTERS = 4;
const STATE_KEYS = 100_000;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly cpu_s_per_million: number;
  readonly baseline: number;
  readonly ratio: number;
}

const sync = process.env['EYRIE_BUS_SYNC'] !== 'off';
await frames();
await singles();

/** Like the pipeline: raw → events → judged with state, and a reader at the end. */
async function frames(): Promise<void> {
  const temporary = temporaryLog({ sync, maxBytes: 1024 ** 3, retention: { intervalMs: 250 } });
  const { bus } = temporary;
  const total = Math.ceil(EVENTS / EVENTS_A_FRAME);
  const quarter = Math.ceil(total / QUARTERS);
  const costs: number[] = [];
  let meter = startMeter();
  let judged = 0;
  let wake = () => {};
  const stages = [
    copy(bus, 'prepare', 'raw', 'events', total, 0),
    copy(bus, 'judge', 'events', 'judged', total, 20, (count) => {
      judged = count;
      wake();
    }),
    copy(bus, 'archiver', 'judged', undefined, total, 0, (count) => {
      if (count % quarter !== 0 && count !== total) return;
      costs.push(meter.cpu() / (((count % quarter || quarter) * EVENTS_A_FRAME) / 1e6));
      meter = startMeter();
    }),
  ];
  const whole = startMeter();
  for (let i = 0; i < total; i += 1) {
    // Intake waits for the reader as a full gateway would, so that every quarter holds the same work.
    while (judged < i - 64) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    await bus.append([{ topic: 'raw', partition: 0, value: frameOf(i) }]);
  }
  await Promise.all(stages);
  const seconds = whole.seconds();
  const [, second = 0] = costs;
  const last = costs.at(-1) ?? 0;
  const cost = whole.cpu() / ((total * EVENTS_A_FRAME) / 1e6);
  const plain = plainFile(Math.ceil(quarter / 2), frameOf) * 3;
  const plainCost = plain / ((Math.ceil(quarter / 2) * EVENTS_A_FRAME) / 1e6);
  print({
    name: 'bus.frames_three_topics',
    value: Math.round((total * EVENTS_A_FRAME) / seconds),
    unit: 'events/s',
    cpu_s_per_million: cost,
    baseline: plainCost,
    ratio: cost / plainCost,
  });
  print({
    name: 'bus.last_quarter_to_second',
    value: last,
    unit: 'cpu_s_per_million',
    cpu_s_per_million: last,
    baseline: second,
    ratio: last / second,
  });
  await temporary.remove();
}

async function singles(): Promise<void> {
  const temporary = temporaryLog({ sync });
  const { bus } = temporary;
  const value = frameOf(1).subarray(0, EVENT_BYTES);
  const meter = startMeter();
  let left = SINGLE_EVENTS;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (left > 0) {
        left -= 1;
        await bus.append([{ topic: 'raw', partition: 0, value }]);
      }
    }),
  );
  const seconds = meter.seconds();
  const cost = meter.cpu() / (SINGLE_EVENTS / 1e6);
  const batch = Buffer.concat(Array.from({ length: CONNECTIONS }, () => value));
  const plain = plainFile(Math.ceil(SINGLE_EVENTS / CONNECTIONS), () => batch) / (SINGLE_EVENTS / 1e6);
  print({
    name: 'bus.one_event_a_record',
    value: Math.round(SINGLE_EVENTS / seconds),
    unit: 'events/s',
    cpu_s_per_million: cost,
    baseline: plain,
    ratio: cost / plain,
  });
  await temporary.remove();
}

async function copy(
  bus: Bus,
  group: string,
  from: TopicName,
  to: TopicName | undefined,
  total: number,
  stateWrites: number,
  passed: (count: number) => void = () => undefined,
): Promise<void> {
  let count = 0;
  const membership = bus.join({ group, inputs: [from], state: 'alert-state' }, async (assigned) => {
    while (count < total) {
      const records = await assigned.poll({ maxBytes: 1024 * 1024, maxWaitMs: 1_000 });
      const last = records.at(-1);
      if (last === undefined) continue;
      await assigned.transact({
        positions: [{ topic: from, next: last.offset + 1 }],
        state: Array.from({ length: stateWrites * records.length }, (_, i) => {
          const key = `w/${(last.offset * 7_919 + i * 104_729) % STATE_KEYS}`;
          return [key, last.value.subarray(0, 300 + ((i * 131) % 1_200))] as const;
        }),
        outputs: to === undefined ? [] : records.map(({ value }) => ({ topic: to, partition: 0, value })),
      });
      for (const _ of records) passed(++count);
    }
  });
  await membership.done;
}

/** The least a durable log costs: CPU seconds to append `count` values to one file, each synced. */
function plainFile(count: number, bytesOf: (i: number) => Buffer): number {
  const directory = mkdtempSync(join(tmpdir(), 'eyrie-plain-'));
  const file = openSync(join(directory, 'log'), 'a');
  const meter = startMeter();
  for (let i = 0; i < count; i += 1) {
    writeSync(file, bytesOf(i));
    fdatasyncSync(file);
  }
  const cpu = meter.cpu();
  closeSync(file);
  rmSync(directory, { recursive: true });
  return cpu;
}

/** Frames differ in length, as real ones do: equal ones would flatter the free list. */
function frameOf(i: number): Buffer {
  const frame = Buffer.allocUnsafe(Math.floor(FRAME_BYTES * (0.85 + ((i * 37) % 100) / 666)));
  frame.fill(i % 251);
  return frame;
}

function startMeter(): { readonly cpu: () => number; readonly seconds: () => number } {
  const cpu = process.cpuUsage();
  const started = performance.now();
  return {
    cpu: () => {
      const { user, system } = process.cpuUsage(cpu);
      return (user + system) / 1e6;
    },
    seconds: () => (performance.now() - started) / 1_000,
  };
}

function print(figure: Figure): void {
  console.log(JSON.stringify(figure, (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value)));
}
