import type { Bus, GroupSpec } from '@eyrie/platform/bus/bus';
import { type KeptGroup, keepJoined } from '@eyrie/platform/bus/keep-joined';
import { isRetryable } from '@eyrie/platform/errors';
import type { Component } from '@eyrie/platform/lifecycle';
import { DEDUPLICATION_WINDOW } from '@eyrie/platform/store/layout';
import type { Vitals } from '@eyrie/platform/vitals';
import { spacingFor } from './core/spacing.ts';
import { GROUPS } from './groups.ts';
import { reconcile } from './reconcile.ts';
import { runSink, type SinkDeps } from './sink.ts';

export { reconcile } from './reconcile.ts';
export { createSqlSocket } from './sql-socket.ts';

export interface ArchiverDeps extends SinkDeps {
  readonly vitals?: Vitals;
  /** Told of what cannot pass by waiting: a statement of ours that ClickHouse refuses. */
  readonly onFailure: (error: unknown) => void;
}

export interface ArchiverOptions {
  /** Rows of a batch at most (default 50,000). */
  readonly batchRows?: number;
  /** Bytes of rows of a batch at most (default 32 MiB). */
  readonly batchBytes?: number;
  /** How long a lone row waits for others, milliseconds (default 200). */
  readonly batchAgeMs?: number;
  /** Milliseconds from insert to insert while rows keep coming (default 1,000, longer where there are many partitions). */
  readonly batchSpacingMs?: number;
  /** Bytes of records read at a time (default 512 KiB, a few milliseconds of work). */
  readonly pollBytes?: number;
  /** Judge against SQL this often, milliseconds (default 60,000). */
  readonly reconcileMs?: number;
}

export interface Archiver extends Component {
  /** Resolves when everything appended to its inputs so far is in ClickHouse. */
  caughtUp(): Promise<void>;
}

const CAUGHT_UP_POLL_MS = 20;

/** Carries judged events, alerts, the ledger, documents, health and dead letters into ClickHouse, each record once. */
export function createArchiver(deps: ArchiverDeps, options: ArchiverOptions = {}): Archiver {
  const { bus, store, log, metrics, clock } = deps;
  let groups: readonly KeptGroup[] = [];
  const stopping = new AbortController();
  let reconciling: Promise<void> = Promise.resolve();
  let waiters = 0;
  let failure: { readonly error: unknown } | undefined;

  const sinkOptions = {
    maxRows: options.batchRows ?? 50_000,
    maxBytes: options.batchBytes ?? 32 * 1024 * 1024,
    maxAgeMs: options.batchAgeMs ?? 200,
    spacingMs: spacingFor(mostPartitions(bus), options.batchSpacingMs ?? 1_000, DEDUPLICATION_WINDOW),
    pollBytes: options.pollBytes ?? 512 * 1024,
    isUrgent: () => waiters > 0,
  };

  /** Archives one group until the end; what may pass by waiting (a full disk, a full log) makes it start anew. */
  function keep({ group, inputs }: GroupSpec): KeptGroup {
    return keepJoined(deps, {
      spec: { group, inputs },
      run: (assigned, signal, ready) => {
        ready();
        return runSink(deps, assigned, inputs, sinkOptions, signal);
      },
      isFatal: (error) => !isRetryable(error),
      onFatal: (error) => {
        failure ??= { error };
        deps.onFailure(error);
      },
    });
  }

  async function reconcileRepeatedly(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(options.reconcileMs ?? 60_000, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        const { difference, details } = await reconcile(bus, store);
        metrics.set('eyrie_monthly_difference', {}, difference);
        if (difference !== 0) log.error({ difference, details: details.slice(0, 10) }, 'judge and SQL differ');
      } catch (error) {
        log.warn({ err: error }, 'judge and SQL could not be compared');
      }
    }
  }

  return {
    name: 'archiver',
    start: async () => {
      groups = Object.values(GROUPS).map(keep);
      reconciling = reconcileRepeatedly();
    },
    stop: async () => {
      stopping.abort();
      await Promise.all(groups.map((group) => group.stop()));
      await reconciling;
    },
    caughtUp: async () => {
      const ends = await inputEnds(bus);
      waiters += 1;
      try {
        while (!(await isBehindNone(bus, ends))) {
          if (failure !== undefined) throw failure.error;
          await clock.sleep(CAUGHT_UP_POLL_MS, stopping.signal);
          if (stopping.signal.aborted) return;
        }
      } finally {
        waiters -= 1;
      }
    },
  };
}

function mostPartitions(bus: Pick<Bus, 'partitions'>): number {
  const topics = Object.values(GROUPS).flatMap(({ inputs }) => [...inputs]);
  return Math.max(...topics.map((topic) => bus.partitions(topic)));
}

interface InputEnd {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  readonly end: number;
}

async function inputEnds(bus: Bus): Promise<readonly InputEnd[]> {
  const ends: InputEnd[] = [];
  for (const { group, inputs } of Object.values(GROUPS)) {
    for (const topic of inputs) {
      for (let partition = 0; partition < bus.partitions(topic); partition += 1) {
        ends.push({ group, topic, partition, end: (await bus.bounds(topic, partition)).end });
      }
    }
  }
  return ends;
}

async function isBehindNone(bus: Bus, ends: readonly InputEnd[]): Promise<boolean> {
  const next = new Map(
    (await bus.groups()).map((position) => [
      `${position.group}/${position.topic}/${position.partition}`,
      position.next,
    ]),
  );
  return ends.every(({ group, topic, partition, end }) => (next.get(`${group}/${topic}/${partition}`) ?? 0) >= end);
}
