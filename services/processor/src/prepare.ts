import type { Assigned, Bus, BusRecord, Output } from '@eyrie/platform/bus/bus';
import type { Metrics } from '@eyrie/platform/metrics';
import { decodeRawFrame, type Event, FrameError, partitionOf, type RawSection } from '@eyrie/schemas';
import { deadLetterOutput, healthOutput, unreadableLetter } from './asides.ts';
import { createMemos } from './core/prepare/memo.ts';
import { type PlacedLine, type PrepareTools, prepareLine } from './core/prepare/prepare-line.ts';
import { Frames } from './frames.ts';
import { Outcomes } from './outcomes.ts';
import { createRole, type Role, type RoleDependencies } from './role.ts';
import { SOURCES } from './sources/index.ts';
import { Turn } from './turn.ts';

export interface PrepareDependencies extends RoleDependencies {
  readonly metrics: Metrics;
}

export interface PrepareOptions {
  /** Raw bytes of one step at most. More is cheaper a line and holds up the first one longer. Default 1.5 MiB. */
  readonly batchBytes?: number;
}

const BATCH_BYTES = 1536 * 1024;
/** What a step writes may go this far before it is committed: a line of three bytes ends as a dead letter of 400. */
const STEP_BYTES = 8 * 1024 * 1024;
const WAIT_MS = 1_000;

/** Raw lines in; events by routing key, sensor health and dead letters out. Keeps no state but its position. */
export function createPrepare(deps: PrepareDependencies, options: PrepareOptions = {}): Role {
  const { bus, metrics } = deps;
  const tools: PrepareTools = { sources: SOURCES, memos: createMemos() };

  function newBatch(frames: Frames<Event>): Batch {
    return { bus, tools, frames, outcomes: new Outcomes('prepare'), outputs: [] };
  }

  async function run(assigned: Assigned, signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const frames = new Frames<Event>('events');
    const turn = new Turn();
    while (!signal.aborted) {
      const records = await assigned.poll({ maxBytes: options.batchBytes ?? BATCH_BYTES, maxWaitMs: WAIT_MS });
      turn.begin();
      let batch = newBatch(frames);
      let bytes = 0;
      for (const [index, record] of records.entries()) {
        const before = batch.outputs.length;
        prepareRecord(record, batch);
        bytes += bytesOf(batch.outputs, before);
        if (index === records.length - 1 || bytes >= STEP_BYTES) {
          await assigned.transact({
            positions: [{ topic: 'raw', next: record.offset + 1 }],
            outputs: [...batch.outputs, ...frames.finish()],
          });
          batch.outcomes.publish(metrics);
          batch = newBatch(frames);
          bytes = 0;
        }
        await turn.share();
      }
    }
  }

  return createRole(deps, { spec: { group: 'prepare', inputs: ['raw'] }, run });
}

interface Batch {
  readonly bus: Bus;
  readonly tools: PrepareTools;
  readonly frames: Frames<Event>;
  readonly outcomes: Outcomes;
  readonly outputs: Output[];
}

function prepareRecord(record: BusRecord, batch: Batch): void {
  const { bus, outcomes, outputs } = batch;
  const { partition, offset } = record;
  let sections: ReturnType<typeof decodeRawFrame>;
  try {
    sections = decodeRawFrame(record.value);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    const letter = unreadableLetter(bus, 'prepare', record, error.code, error.message);
    outputs.push(deadLetterOutput(bus, partition, letter));
    outcomes.add({ outcome: 'dead-lettered', reason: error.code });
    return;
  }
  const log = bus.logIdentity('raw', partition);
  let first = 0;
  const made = record.made as readonly RawSection['readings'][] | undefined;
  for (const [number, { meta, lines }] of sections.entries()) {
    const readings = made?.[number];
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index] ?? EMPTY;
      const position = { log, partition, offset, index: first + index };
      prepareOne({ line, meta, index, position, reading: readings?.[index] }, batch);
    }
    first += lines.length;
  }
}

function bytesOf(outputs: readonly Output[], from: number): number {
  let bytes = 0;
  for (let i = from; i < outputs.length; i += 1) bytes += outputs[i]?.value.length ?? 0;
  return bytes;
}

const EMPTY = Buffer.alloc(0);

function prepareOne(placed: PlacedLine, { bus, tools, frames, outcomes, outputs }: Batch): void {
  const { line, position } = placed;
  const prepared = prepareLine(placed, tools);
  if (prepared.kind === 'event') {
    const { event } = prepared;
    const partition = partitionOf(event.routing_key, bus.partitions('events'));
    const full = frames.add(partition, event, JSON.stringify(event), line);
    if (full !== undefined) outputs.push(full);
    return;
  }
  const { outcome, health, deadLetter } = prepared;
  outcomes.add(outcome);
  if (health !== undefined) outputs.push(healthOutput(bus, position.partition, health));
  if (deadLetter !== undefined) outputs.push(deadLetterOutput(bus, position.partition, deadLetter));
}
