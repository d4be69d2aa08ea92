import type { TopicName } from '@eyrie/schemas';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { Appended, Bus, GroupSpec, Membership } from '../bus.ts';
import { groupPartitions } from '../group-partitions.ts';
import { Appender } from './appender.ts';
import { Assignment, type AssignmentHost } from './assignment.ts';
import { refuseUnfit } from './check.ts';
import { Client, type ClientOptions } from './client.ts';
import { asAppError, closedError } from './errors.ts';
import { Fetcher } from './fetcher.ts';
import { followTopic } from './follow.ts';
import { type Entering, foreignTopics } from './foreign-topics.ts';
import { Group } from './group.ts';
import { readIdentities, writeIdentities } from './identities.ts';
import { participate } from './membership.ts';
import { Names } from './names.ts';
import { toSent } from './produce.ts';
import { Reader } from './reader.ts';
import { listRegistered, removeRegistered } from './registered.ts';
import { Standby } from './standby.ts';
import { readPartitions } from './topics.ts';

export interface KafkaOptions extends ClientOptions {
  /** Leads every topic, group and transactional id. */
  readonly prefix: string;
  /** Without a heartbeat for that long, a member is taken for dead and its partitions move. */
  readonly sessionTimeoutMs?: number;
  /** A step that takes longer is given up by the broker. */
  readonly transactionTimeoutMs?: number;
  /** How long a run may take to end when its partition moves. */
  readonly drainMs?: number;
  /** Bytes of the state of partitions that others own, for each group that keeps state; without it they are not followed. */
  readonly standbyBytes?: number;
  /** How often topics that are not ours are looked at for new partitions. */
  readonly partitionsMs?: number;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

const SESSION_TIMEOUT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 60_000;
const DRAIN_MS = 10_000;
const BEATS_A_SESSION = 10;
/** Offsets of a group that nobody joins expire, after a week by default. */
const REFRESH_MS = 6 * 3_600_000;
const READ_BYTES = 1024 * 1024;
const PARTITIONS_MS = 30_000;

/**
 * The bus on Kafka. Steps are transactions, state is a compacted topic, groups are Kafka's.
 * @throws AppError EYRIE_BUS_UNAVAILABLE, EYRIE_CONFIG_INVALID where topics are missing or do not fit
 */
export async function openKafka(options: KafkaOptions): Promise<Bus> {
  const { clock, log, metrics } = options;
  const sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS;
  const client = new Client(options);
  const names = new Names(options.prefix);
  const closing = new AbortController();
  const admin = client.admin();
  const fetcher = new Fetcher(client, clock, metrics);
  const { counts, identities } = await start();
  const refreshing = setInterval(() => {
    writeIdentities(client, names, clock, counts).catch((error) => {
      // The processor may; that one role does it is enough.
      const isRefused = error instanceof AppError && error.code === 'EYRIE_CONFIG_INVALID';
      log[isRefused ? 'debug' : 'error']({ err: error }, 'the identities of the logs could not be written again');
    });
  }, REFRESH_MS).unref();
  const reader = new Reader({ fetcher, names, clock, metrics });
  const appender = new Appender({ client, names, clock, metrics });
  const members = new Set<Membership>();
  let closed = false;
  const host: AssignmentHost = {
    client,
    names,
    reader,
    clock,
    log,
    metrics,
    transactionTimeoutMs: options.transactionTimeoutMs ?? TRANSACTION_TIMEOUT_MS,
    partitions,
  };

  async function start() {
    try {
      await admin.connect();
      const found = await readPartitions(admin, names, client.principal);
      await refuseUnfit(admin, names, options);
      await fetcher.open([...found.keys()].map((topic) => names.topic(topic)));
      return { counts: found, identities: await readIdentities(client, names, clock, found) };
    } catch (error) {
      await Promise.all([admin.disconnect().catch(() => undefined), fetcher.close()]);
      throw asAppError(error);
    }
  }

  function partitions(topic: TopicName): number {
    return counts.get(topic) ?? 0;
  }

  /** @throws AppError EYRIE_BUS_UNAVAILABLE, RangeError */
  function check(topic: TopicName, partition: number): void {
    if (closed) throw closedError();
    if (partition >= 0 && partition < partitions(topic)) return;
    throw new RangeError(`there is no log ${topic}-${partition}`);
  }

  function join(spec: GroupSpec, run: Parameters<Bus['join']>[1]): Membership {
    if (closed) throw closedError();
    const count = groupPartitions(spec, partitions);
    const topics = spec.inputs.map((topic) => names.topic(topic));
    const standby = followOthers(spec, count);
    const own = (partition: number, signal: AbortSignal) => new Assignment(host, spec, partition, signal, standby);
    const onEnd = () => void standby?.stop();
    return enter({ group: spec.group, topics, partitions: () => count, own, onEnd }, run);
  }

  function enter<A>(
    { group: name, own, onEnd, ...asked }: Entering<A>,
    run: (assigned: A, signal: AbortSignal) => Promise<void>,
  ): Membership {
    if (closed) throw closedError();
    const cluster = client.cluster();
    const { principal } = client;
    const group = new Group(cluster, { ...asked, groupId: names.group(name), principal, sessionTimeoutMs });
    const membership = participate(
      {
        spec: { group: name },
        group,
        own,
        clock,
        log,
        heartbeatMs: sessionTimeoutMs / BEATS_A_SESSION,
        drainMs: options.drainMs ?? DRAIN_MS,
      },
      run,
    );
    members.add(membership);
    const settled = () => {
      members.delete(membership);
      onEnd();
      void cluster.disconnect().catch(() => undefined);
    };
    membership.done.then(settled, settled);
    return membership;
  }

  function followOthers({ group, state }: GroupSpec, count: number): Standby | undefined {
    const { standbyBytes = 0 } = options;
    if (state === undefined || standbyBytes === 0) return undefined;
    return new Standby({ ...host, group, topic: state, partitions: count, maxBytes: standbyBytes });
  }

  return {
    logIdentity: (topic, partition) => {
      const identity = identities.get(`${topic}/${partition}`);
      if (identity === undefined) throw new RangeError(`there is no log ${topic}-${partition}`);
      return identity;
    },
    partitions,
    bounds: async (topic, partition) => {
      check(topic, partition);
      return fetcher.bounds(names.topic(topic), partition);
    },
    append: async (outputs) => {
      for (const { topic, partition } of outputs) check(topic, partition);
      const appended: readonly Appended[] = await appender.append(outputs.map(toSent));
      reader.wrote(appended);
      return appended;
    },
    // The brokers hold what readers have not read yet, and their disks are large.
    waitForReaders: async () => undefined,
    join,
    foreign: foreignTopics(host, enter, {
      admin,
      prefix: options.prefix,
      partitionsMs: options.partitionsMs ?? PARTITIONS_MS,
    }),
    groups: () => listRegistered(admin, names, fetcher, clock),
    removeGroup: (group) => removeRegistered(admin, names, group),
    read: async (topic, partition, from, readOptions) => {
      check(topic, partition);
      return reader.read(topic, partition, from, readOptions?.maxBytes ?? READ_BYTES);
    },
    readState: async (topic, partition, prefix) => {
      check(topic, partition);
      return [...(await reader.readState(topic, partition, prefix))];
    },
    follow: async (topic, from, take, signal) => {
      if (closed) throw closedError();
      for (const partition of from.keys()) check(topic, partition);
      const stop = AbortSignal.any([signal, closing.signal]);
      await followTopic(host, topic, from, take, stop);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      closing.abort();
      clearInterval(refreshing);
      await Promise.all([...members].map((membership) => membership.leave()));
      await appender.close();
      await reader.settled().catch((error) => log.warn({ err: error }, 'what was written may not be visible yet'));
      await Promise.all([fetcher.close(), admin.disconnect().catch(() => undefined)]);
    },
  };
}
