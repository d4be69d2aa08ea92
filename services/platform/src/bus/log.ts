import { join } from 'node:path';
import { TOPIC_NAMES, TOPICS, type TopicName, type TopicSpec } from '@eyrie/schemas';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Appended, Bus, GroupSpec, Output, Step } from './bus.ts';
import { Flow } from './flow.ts';
import { followLogs } from './follow-logs.ts';
import { openKv } from './kv.ts';
import { checkLayout, type PartitionCounts } from './layout.ts';
import { lossRecord } from './loss.ts';
import { Memberships, type Owner } from './membership.ts';
import { Notifier } from './notifier.ts';
import { moveOldState } from './old-state.ts';
import { PartitionLog } from './partition-log.ts';
import { Positions } from './positions.ts';
import { Reserve } from './reserve.ts';
import { Retention, type RetentionOptions } from './retention.ts';
import { BlockEncoder } from './state-block.ts';
import { StateLog } from './state-log.ts';
import { closedError, Writer } from './writer.ts';

export interface LogOptions {
  /** `openDataDirectory` gives it: the lock on the directory is the caller's. */
  readonly dataDir: { readonly path: string; readonly logIdentity: string };
  readonly partitions?: Partial<PartitionCounts>;
  /** Bytes of records the log may hold. Intake is refused there; steps of groups get half as much more. */
  readonly maxBytes?: number;
  readonly retention?: Partial<RetentionOptions>;
  /** `false` for benchmarks and negative controls only: nothing is durable then. */
  readonly sync?: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

export interface EmbeddedLog extends Bus {
  /** Bytes of records held. */
  bytes(): number;
  /** One pass of retention, to its end; it also runs by itself. */
  retain(): Promise<void>;
}

const DEFAULT_MAX_BYTES = 16 * 1024 ** 3;
const TAIL_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
/** Characters of a key: far above any real one, and below what the headers of records and blocks can say. */
const MAX_KEY = 16_384;
/** State given at a time by `restore`. */
const RESTORE_BYTES = 1024 * 1024;
/** Groups must be able to take what intake stored, or nothing would ever be read. */
const STEP_SHARE = 1.5;

/** The embedded log: every topic, state and position in one LMDB environment under `<dataDir>/log`. */
export function openLog(options: LogOptions): EmbeddedLog {
  const { clock, log, metrics, dataDir } = options;
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const directory = join(dataDir.path, 'log');
  const reserve = new Reserve(directory, log);
  const kv = openKv(directory, { sync: options.sync ?? true, mapBytes: Math.max(4 * maxBytes, 1024 ** 3) });
  const layout = checkLayout(kv, options.partitions ?? {});
  const { counts } = layout;
  const notifier = new Notifier(clock);
  const flow = new Flow(notifier, () => metrics.count('eyrie_bound_reached_total', { bound: 'readers_behind' }));
  const positions = new Positions(kv);
  const logs = new Map<string, PartitionLog>();
  const states = new Map<string, StateLog>();
  const encoder = new BlockEncoder();
  for (const topic of TOPIC_NAMES) {
    for (let partition = 0; partition < partitions(topic); partition += 1) {
      const name = channel(topic, partition);
      if (spec(topic).cleanup === 'changelog') states.set(name, new StateLog(kv, topic, partition, encoder));
      else logs.set(name, new PartitionLog(kv, topic, partition, TAIL_BYTES));
    }
  }
  if (layout.isOld) moveOldState(kv, [...states.values()], counts);
  const touched = new Set<PartitionLog | StateLog>();
  let closed = false;

  const writer = new Writer(kv, {
    committed: () => {
      positions.committed();
      for (const one of touched) if (one.committed()) notifier.notify(channel(one.topic, one.partition));
      touched.clear();
    },
    aborted: () => {
      positions.aborted();
      for (const one of touched) one.aborted();
      touched.clear();
    },
    releaseReserve: () => reserve.release(),
    boundReached: (bound) => metrics.count('eyrie_bound_reached_total', { bound }),
  });
  const retention = new Retention({
    logs: [...logs.values()],
    positions,
    writer,
    touched,
    clock,
    log,
    metrics,
    reserve,
    options: { intervalMs: 10_000, targetBytes: Math.floor(maxBytes / 5), ...options.retention },
  });
  const memberships = new Memberships({
    partitions,
    end: (topic, partition) => logOf(topic, partition).end,
    read: (topic, partition, from, bytes) => logOf(topic, partition).read(from, bytes),
    unread: (topic, partition, from) => logOf(topic, partition).unread(from),
    flow,
    wait: (inputs, partition, maxWaitMs, signal) =>
      notifier.wait(
        inputs.map((topic) => channel(topic, partition)),
        maxWaitMs,
        signal,
      ),
    position: (group, topic, partition) =>
      positions.get(group, topic, partition) ?? { next: logOf(topic, partition).start },
    restore: (topic, partition) => restore(topic, partition),
    settle,
    commit,
  });

  function spec(topic: TopicName): TopicSpec {
    return TOPICS[topic];
  }

  function partitions(topic: TopicName): number {
    const kind = spec(topic).partitions;
    return kind === 'one' ? 1 : counts[kind];
  }

  function logOf(topic: TopicName, partition: number): PartitionLog {
    if (closed) throw closedError();
    const found = logs.get(channel(topic, partition));
    if (found === undefined) throw new RangeError(`there is no log ${topic}-${partition}`);
    return found;
  }

  function stateOf(topic: TopicName, partition: number): StateLog {
    if (closed) throw closedError();
    const found = states.get(channel(topic, partition));
    if (found === undefined) throw new RangeError(`there is no state ${topic}-${partition}`);
    return found;
  }

  function checkOutputs(outputs: readonly Output[]): number {
    let bytes = 0;
    for (const { topic, partition, key, value } of outputs) {
      logOf(topic, partition);
      if (key !== undefined) checkKey(key);
      bytes += value.length;
    }
    return bytes;
  }

  function write(outputs: readonly Output[]): Appended[] {
    const timestamp = clock.now();
    return outputs.map((output) => {
      const { topic, partition } = output;
      const partitionLog = logOf(topic, partition);
      touched.add(partitionLog);
      return { topic, partition, offset: partitionLog.append(timestamp, output) };
    });
  }

  function bytes(): number {
    let sum = 0;
    for (const partitionLog of logs.values()) sum += partitionLog.bytes;
    return sum;
  }

  /** Intake stops at the bound, everything that empties the log later: otherwise a full log would stay full. */
  function checkRoom(outputs: readonly Output[], size: number): void {
    if (outputs.length === 0) return;
    const limit = outputs.some(({ topic }) => topic === 'raw') ? maxBytes : maxBytes * STEP_SHARE;
    const held = bytes() + writer.pendingBytes;
    if (held + size <= limit) return;
    retention.hurry();
    metrics.count('eyrie_bound_reached_total', { bound: 'bus_bytes' });
    throw new AppError('EYRIE_BUS_FULL', `the log holds ${held} bytes, its bound is ${limit}`, { retryable: true });
  }

  async function append(outputs: readonly Output[]): Promise<readonly Appended[]> {
    const size = checkOutputs(outputs);
    checkRoom(outputs, size);
    if (outputs.length === 0) return [];
    return writer.run({ bytes: size, log: true, state: false, positions: false, apply: () => write(outputs) });
  }

  async function commit(owner: Owner, groupSpec: GroupSpec, step: Step): Promise<readonly Appended[]> {
    const { group, partition } = owner;
    const outputs = step.outputs ?? [];
    const state = step.state ?? [];
    let size = checkOutputs(outputs);
    checkRoom(outputs, size);
    for (const [key, value] of state) {
      checkKey(key);
      size += key.length + (value?.length ?? 0);
    }
    if (state.length > 0 && groupSpec.state === undefined) throw new TypeError(`group ${group} keeps no state`);
    const stateLog = groupSpec.state === undefined ? undefined : stateOf(groupSpec.state, partition);
    for (const { topic, next } of step.positions) {
      if (!groupSpec.inputs.includes(topic)) throw new TypeError(`${topic} is no input of group ${group}`);
      if (!Number.isSafeInteger(next) || next < 0 || next > logOf(topic, partition).end) {
        throw new RangeError(`position ${next} lies outside ${topic}-${partition}`);
      }
    }
    const appended = await writer.run({
      bytes: size,
      log: outputs.length > 0,
      state: state.length > 0,
      positions: step.positions.length > 0,
      check: () => owner.assertLive(),
      apply: () => {
        for (const { topic, ...position } of step.positions) positions.put(group, topic, partition, position);
        if (stateLog !== undefined && state.length > 0) {
          touched.add(stateLog);
          stateLog.write(state);
        }
        return write(outputs);
      },
    });
    metrics.count('eyrie_bus_transactions_total', { group });
    return appended;
  }

  /** Gives a group its positions before it reads; what retention took from it is counted, never passed over silently. */
  async function settle(group: string, inputs: readonly TopicName[], partition: number): Promise<void> {
    const missing = inputs.filter((topic) => positions.get(group, topic, partition) === undefined);
    const losses = inputs.flatMap((topic) => {
      const { start } = logOf(topic, partition);
      const position = positions.get(group, topic, partition);
      return position === undefined || position.next >= start ? [] : [{ group, topic, partition, position, start }];
    });
    if (missing.length === 0 && losses.length === 0) return;
    await writer.run({
      bytes: 0,
      log: losses.length > 0,
      state: false,
      positions: true,
      apply: () => {
        for (const topic of missing) positions.put(group, topic, partition, { next: logOf(topic, partition).start });
        for (const { topic, position, start } of losses) {
          positions.put(group, topic, partition, { ...position, next: start });
        }
        write(
          losses.map((loss) => lossRecord({ ...loss, next: loss.position.next }, partitions('health'), clock.now())),
        );
      },
    });
    for (const { topic, position, start } of losses) {
      metrics.count('eyrie_bus_lost_records_total', { group, topic }, start - position.next);
      log.error(
        { group, topic, partition, from: position.next, to: start },
        'records were removed before they were read',
      );
    }
  }

  async function* restore(topic: TopicName, partition: number): AsyncGenerator<readonly [string, Buffer]> {
    let from: number | undefined = 0;
    while (from !== undefined) {
      const { entries, next } = stateOf(topic, partition).portion(from, RESTORE_BYTES);
      yield* entries;
      from = next;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  retention.start();

  return {
    logIdentity: () => dataDir.logIdentity,
    partitions,
    bounds: async (topic, partition) => {
      const { start, end } = logOf(topic, partition);
      return { start, end };
    },
    append,
    join: (groupSpec, run) => {
      if (closed) throw closedError();
      return memberships.join(groupSpec, run);
    },
    groups: async () =>
      positions.list().map((position) => ({ ...position, end: logOf(position.topic, position.partition).end })),
    removeGroup: async (group) => {
      if (memberships.active(group)) throw new AppError('EYRIE_USAGE', `group ${group} is in use`);
      await writer.run({ bytes: 0, log: false, state: false, positions: true, apply: () => positions.remove(group) });
      positions.forget(group);
    },
    read: async (topic, partition, from, readOptions) =>
      logOf(topic, partition).read(from, readOptions?.maxBytes ?? READ_BYTES),
    readState: async (topic, partition, prefix) => stateOf(topic, partition).read(prefix),
    waitForReaders: (topic, partition) => flow.holdQueued(topic, partition),
    follow: (topic, from, take, signal) => {
      const read = (partition: number, next: number) => logOf(topic, partition).read(next, READ_BYTES);
      const wait = (partition: number, maxWaitMs: number, stop: AbortSignal) =>
        notifier.wait([channel(topic, partition)], maxWaitMs, stop);
      return followLogs({ read, wait }, from, take, signal);
    },
    bytes,
    retain: () => retention.pass(),
    close: async () => {
      if (closed) return;
      await memberships.leaveAll();
      await retention.stop();
      await writer.close();
      closed = true;
      notifier.notifyAll();
      await kv.close();
    },
  };
}

function checkKey(key: string): void {
  if (key.length > MAX_KEY) throw new RangeError(`key of ${key.length} characters: ${key.slice(0, 80)}`);
}

function channel(topic: TopicName, partition: number): string {
  return `${topic}/${partition}`;
}
