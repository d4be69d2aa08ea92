import type { Assigned } from '@eyrie/platform/bus/bus';
import { type FollowedTable, followTable } from '@eyrie/platform/bus/table';
import type { Documents } from '@eyrie/platform/documents';
import type { Metrics } from '@eyrie/platform/metrics';
import type { Signer } from '@eyrie/platform/sign';
import type { TopicName } from '@eyrie/schemas';
import { type JudgeOptions, type JudgeState, waitingEntities } from './core/judge/judge.ts';
import { GrowthRequests } from './growth.ts';
import { InTurn } from './in-turn.ts';
import { restore } from './judge-restore.ts';
import type { Judging } from './judging.ts';
import type { Learner } from './learner.ts';
import { createRole, type Role, type RoleDependencies } from './role.ts';
import { Turn } from './turn.ts';
import { type News, Workloads } from './workloads.ts';

export interface JudgeDependencies extends RoleDependencies {
  readonly documents: Documents;
  readonly signer: Signer;
  readonly metrics: Metrics;
}

/** Settings of the judge; what is left out has the default of `core/judge/defaults.ts`. */
export type JudgeRoleOptions = Partial<Omit<JudgeOptions, 'score' | 'identify' | 'inventory' | 'hasInventory'>> & {
  /** Event bytes of one step at most: a backlog is cheaper in large steps, which write a page once. Default 3 MiB. */
  readonly batchBytes?: number;
};

const BATCH_BYTES = 3 * 1024 * 1024;
/** How long an idle judge sleeps; late identities and the clock wait for it. */
const WAIT_MS = 250;
const TICK_MS = 1_000;

export interface Judge extends Role {
  /** The input has ended: writes the alerts that grew now instead of at their next interval, and resolves once that is committed. */
  writeGrowth(): Promise<void>;
}

/** Events and commands in; judged events, versions of alerts and the state behind them out, in one step. */
export function createJudge(deps: JudgeDependencies, roleOptions: JudgeRoleOptions = {}): Judge {
  const { bus, documents, log, metrics } = deps;
  const workloads = new Workloads(log, metrics);
  const growth = new GrowthRequests();
  const restores = new InTurn();
  let table: FollowedTable | undefined;
  const role = createRole(deps, {
    spec: { group: 'judge', inputs: ['events', 'commands'], state: 'alert-state' },
    onStart: async () => {
      table = followTable(bus, 'workloads', { onRecord: (...taken) => workloads.put(...taken), log });
      await Promise.all([table.ready, documents.ready()]);
    },
    onStop: async () => table?.stop(),
    run: (assigned, signal, ready) =>
      judgePartition(assigned, signal, ready, { ...deps, workloads, growth, restores, roleOptions }),
  });
  return { ...role, writeGrowth: () => growth.write(deps.clock) };
}

export interface PartitionParts extends JudgeDependencies {
  readonly workloads: Workloads;
  readonly growth: GrowthRequests;
  /** One partition after the other. */
  readonly restores: InTurn;
  readonly roleOptions: JudgeRoleOptions;
}

async function judgePartition(
  assigned: Assigned,
  signal: AbortSignal,
  ready: () => void,
  parts: PartitionParts,
): Promise<void> {
  const restored = await restore(assigned, signal, parts);
  if (restored === undefined) return;
  const { state, judging, learner } = restored;
  ready();
  const news = parts.workloads.subscribe();
  // Inventory may have spoken while nobody judged.
  news.names.push(...waitingEntities(state));
  parts.growth.begin(assigned.partition);
  try {
    await loop(assigned, signal, { ...parts, state, judging, learner, news });
  } finally {
    parts.growth.end(assigned.partition);
    parts.workloads.unsubscribe(news);
  }
}

interface LoopParts extends PartitionParts {
  readonly state: JudgeState;
  readonly judging: Judging;
  readonly learner: Learner;
  readonly news: News;
}

async function loop(assigned: Assigned, signal: AbortSignal, parts: LoopParts): Promise<void> {
  const { metrics, clock, judging, growth, roleOptions } = parts;
  const maxBytes = roleOptions.batchBytes ?? BATCH_BYTES;
  let ticked = 0;
  let isMoreDue = false;
  const turn = new Turn();
  while (!signal.aborted) {
    const records = await assigned.poll({ maxBytes, maxWaitMs: isMoreDue ? 0 : WAIT_MS });
    turn.begin();
    judging.identify(takeNews(parts), clock.now());
    const next = new Map<TopicName, number>();
    for (const record of records) {
      judging.take(record, clock.now());
      next.set(record.topic, record.offset + 1);
      await turn.share();
    }
    const now = clock.now();
    const request = growth.due(assigned.partition);
    if (isMoreDue || request !== undefined || records.length > 0 || now - ticked >= TICK_MS) {
      isMoreDue = judging.tick(now, request !== undefined);
    }
    const { step, outcomes, bounds } = judging.finish();
    const positions = [...next].map(([topic, offset]) => ({ topic, next: offset }));
    if (positions.length > 0 || step.outputs.length > 0 || step.state.length > 0) {
      await assigned.transact({ positions, ...step });
    }
    if (request !== undefined && !isMoreDue) growth.committed(assigned.partition, request);
    outcomes.publish(metrics);
    for (const bound of bounds) metrics.count('eyrie_bound_reached_total', { bound });
    if (now - ticked >= TICK_MS) {
      ticked = now;
      parts.workloads.expire(now);
      publishGauges(parts);
    }
  }
}

function takeNews({ news, state, metrics }: LoopParts): readonly string[] {
  if (!news.overflowed) return news.names.splice(0);
  news.overflowed = false;
  news.names.length = 0;
  countBound(metrics, 'judge_news', 1);
  return waitingEntities(state);
}

function publishGauges({ metrics, state, learner, workloads }: LoopParts): void {
  const partition = String(state.partition);
  metrics.set('eyrie_windows_open', { partition }, state.openCount);
  metrics.set('eyrie_redelivery_memory_ids', { partition }, state.seen.size);
  metrics.set('eyrie_redelivery_memory_seconds', { partition }, state.seen.spanMs / 1000);
  metrics.set('eyrie_state_entries', { partition, kind: 'alerts' }, state.alerts.size);
  metrics.set('eyrie_state_entries', { partition, kind: 'closed' }, state.closed.size);
  metrics.set('eyrie_state_entries', { partition, kind: 'known' }, state.known.size);
  metrics.set('eyrie_state_entries', { partition, kind: 'pods' }, workloads.pods);
  countBound(metrics, 'score_history', learner.takeEvicted());
  countBound(metrics, 'workload_pods', workloads.takeEvicted());
}

function countBound(metrics: Metrics, bound: string, times: number): void {
  if (times > 0) metrics.count('eyrie_bound_reached_total', { bound }, times);
}
