/**
 * A rebalance with many open windows: how long after its assignment each partition that moves has its first output, from its
 * changelog read whole and from a standby that followed it. The state is the judge's own, made of events as sensors send
 * them; the new owner is the judge as it runs. Prints one JSON line each.
 *
 *     node bench/rebalance.ts [windows] [partitions] [standby|cold]     default 1,000,000, 8, both
 */
import '../services/cli/src/heap.ts';
import { randomBytes } from 'node:crypto';
import type { Event, RawMeta, WorkloadSnapshot } from '@eyrie/schemas';
import type { Assigned, Bus, Output } from '../services/platform/src/bus/bus.ts';
import { type KafkaOptions, openKafka } from '../services/platform/src/bus/kafka/kafka.ts';
import { createTopics } from '../services/platform/src/bus/kafka/topics.ts';
import { systemClock } from '../services/platform/src/clock.ts';
import { createDocuments } from '../services/platform/src/documents.ts';
import { createLogger } from '../services/platform/src/log.ts';
import { createMetrics } from '../services/platform/src/metrics.ts';
import { createSigner } from '../services/platform/src/sign.ts';
import { WorkloadIndex } from '../services/processor/src/core/join/workload-index.ts';
import {
  DEFAULTS,
  decide,
  evolve,
  type JudgeOptions,
  JudgeState,
  takeChanges,
} from '../services/processor/src/core/judge/judge.ts';
import { createMemos } from '../services/processor/src/core/prepare/memo.ts';
import { prepareLine } from '../services/processor/src/core/prepare/prepare-line.ts';
import { Frames } from '../services/processor/src/frames.ts';
import { Learner } from '../services/processor/src/learner.ts';
import { createJudge } from '../services/processor/src/main.ts';
import { SOURCES } from '../services/processor/src/sources/index.ts';
import { findBroker } from '../test/kafka/broker.ts';
import { createInput } from './input.ts';
import { SHAPES } from './shapes.ts';

const WINDOWS = Number(process.argv[2] ?? 1_000_000);
const PARTITIONS = Number(process.argv[3] ?? 8);
const MODES = process.argv[4] === undefined ? ['standby', 'cold'] : [process.argv[4]];
const LINES_TOGETHER = 2_000;
const APPEND_BYTES = 8 * 1024 * 1024;
/** Four of ten events repeat one that is known. */
const SPARE = 1.6;

const log = createLogger({ name: 'bench', level: 'warn' });
const broker = await findBroker();
if (typeof broker === 'string') throw new Error(broker);
try {
  const options: Omit<KafkaOptions, 'metrics'> = {
    brokers: broker.brokers,
    clientId: 'bench',
    prefix: `bench-${randomBytes(4).toString('hex')}.`,
    log,
    clock: systemClock,
  };
  const partitions = { raw: 1, alerts: PARTITIONS, actions: 1, shared: 1 };
  await createTopics({ ...options, partitions, replicationFactor: 1 });
  const bus = await openKafka({ ...options, metrics: createMetrics() });
  const entries: number[] = [];
  let bytes = 0;
  /** One event for each partition: its judgement is the first output. */
  const next: Output[] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const filled = await fill(bus, partition);
    entries.push(filled.entries);
    bytes += filled.bytes;
    next.push(...filled.next);
    process.stderr.write(`partition ${partition}: ${filled.windows} windows, ${filled.entries} entries\n`);
  }
  for (const mode of MODES) {
    await bus.append(next);
    console.log(
      JSON.stringify({
        name: `rebalance.${mode}`,
        windows: WINDOWS,
        partitions: PARTITIONS,
        entries: entries.reduce((sum, count) => sum + count, 0),
        bytes,
        ...(await takeOver(options, mode, entries)),
      }),
    );
  }
  await bus.close();
} finally {
  await broker.stop();
}

/** The changelog of a judge that has so many windows open, and the event that comes next. */
async function fill(
  bus: Bus,
  partition: number,
): Promise<{ windows: number; entries: number; bytes: number; next: readonly Output[] }> {
  const share = Math.ceil(WINDOWS / PARTITIONS);
  const workloads = Math.ceil((share * SPARE) / SHAPES.length);
  const input = createInput({ seed: partition + 1, workloads, start: Date.now() - 900_000, spacing: 1_000_000 });
  const index = new WorkloadIndex();
  for (const workload of input.workloads('bench')) {
    index.apply({ ...workload, tenant: 'bench' } as unknown as WorkloadSnapshot);
  }
  const tools = { sources: SOURCES, memos: createMemos() };
  const learner = new Learner();
  const state = new JudgeState(partition);
  const options: JudgeOptions = {
    ...DEFAULTS,
    score: (subject) => learner.score(subject),
    identify: (subject) => index.identify(subject),
    hasInventory: () => true,
    inventory: { version: () => index.version, isSteady: (subject) => index.isSteady(subject) },
  };
  const documents = { version: 0, silences: new Map(), exceptions: new Map() };
  const frames = new Frames<Event>('events');
  const meta = { tenant: 'bench', cluster: 'bench', received_at: Date.now(), origin: 'http', lines: 1 } as RawMeta;
  const held = new Map<string, Buffer>();
  let offset = 0;
  while (state.openCount < share) {
    for (const text of input.lines(LINES_TOGETHER)) {
      const line = Buffer.from(text);
      const prepared = prepareLine(
        { line, meta, index: 0, position: { log: `bench${partition}`, partition, offset, index: 0 } },
        tools,
      );
      offset += 1;
      if (prepared.kind !== 'event') throw new Error('a line is no event');
      const { event } = prepared;
      if (state.openCount >= share) {
        frames.add(partition, event, JSON.stringify(event), text);
        break;
      }
      const decision = decide(
        state,
        { kind: 'event', event, checkRawPosition: true },
        documents,
        meta.received_at,
        options,
      );
      evolve(state, decision, options);
      if (decision.judgement !== undefined) learner.learn(event, decision.judgement);
    }
    for (const [key, value] of [...takeChanges(state), ...learner.takeChanges()]) {
      if (value === null) held.delete(key);
      else held.set(key, value);
    }
  }
  let bytes = 0;
  let outputs: Output[] = [];
  let together = 0;
  for (const [key, value] of held) {
    outputs.push({ topic: 'alert-state', partition, key, value });
    bytes += value.length;
    together += value.length;
    if (together < APPEND_BYTES) continue;
    await bus.append(outputs);
    outputs = [];
    together = 0;
  }
  await bus.append(outputs);
  return { windows: state.openCount, entries: held.size, bytes, next: frames.finish() };
}

/** Seconds from each assignment to that partition's first committed step, after another process has left. */
async function takeOver(options: Omit<KafkaOptions, 'metrics'>, mode: string, entries: readonly number[]) {
  const group = { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' } as const;
  const first = await openKafka({ ...options, metrics: createMetrics() });
  const owner = first.join(
    group,
    (_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  );
  while (owner.partitions()?.length !== PARTITIONS) await systemClock.sleep(50);

  const metrics = createMetrics();
  const second = await openKafka({ ...options, metrics, standbyBytes: mode === 'standby' ? 2 ** 36 : 0 });
  const begun = new Map<number, number>();
  const stepped = new Map<number, number>();
  const timed: Bus = {
    ...second,
    join: (spec, run) =>
      second.join(spec, (assigned, signal) => {
        begun.set(assigned.partition, performance.now());
        return run(
          noting(assigned, () => stepped.has(assigned.partition) || stepped.set(assigned.partition, performance.now())),
          signal,
        );
      }),
  };
  const deps = { bus: timed, log, metrics, clock: systemClock, onFailure: (error: unknown) => log.fatal(error) };
  const signer = createSigner(Buffer.alloc(32, 7));
  const documents = createDocuments({ ...deps, signer });
  const judge = createJudge({ ...deps, documents, signer });
  await judge.start();
  // Half of the partitions come at once, when the group has two members; the other half when one of them leaves.
  while (stepped.size < PARTITIONS / 2) await systemClock.sleep(50);
  const held = new Set(stepped.keys());
  const followed = entries.reduce((sum, count, partition) => sum + (held.has(partition) ? 0 : count), 0);
  const isFollowed = `eyrie_bus_standby_entries{group="judge"} ${followed}\n`;
  while (mode === 'standby' && !(await metrics.text()).includes(isFollowed)) await systemClock.sleep(200);
  const before = process.cpuUsage();
  await owner.leave();
  while (stepped.size < PARTITIONS) await systemClock.sleep(20);
  const { user, system } = process.cpuUsage(before);
  const seconds = [...stepped]
    .filter(([partition]) => !held.has(partition))
    .map(([partition, at]) => Math.round(at - (begun.get(partition) ?? 0)) / 1_000)
    .sort((a, b) => a - b);
  const result = {
    seconds,
    cpu_s: Math.round((user + system) / 1e4) / 100,
    rss_mb: Math.round(process.memoryUsage().rss / 1e6),
  };
  await judge.stop();
  await documents.stop();
  await Promise.all([first.close(), second.close()]);
  return result;
}

/** The same, told of every committed step. */
function noting(assigned: Assigned, onStep: () => void): Assigned {
  return {
    group: assigned.group,
    partition: assigned.partition,
    restore: () => assigned.restore(),
    position: (topic) => assigned.position(topic),
    poll: (options) => assigned.poll(options),
    transact: async (step) => {
      const appended = await assigned.transact(step);
      onStep();
      return appended;
    },
  };
}
