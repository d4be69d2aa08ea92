import type { Assigned } from '@eyrie/platform/bus/bus';
import { AppError } from '@eyrie/platform/errors';
import { DEFAULTS, type JudgeOptions, type JudgeState, restoringState } from './core/judge/judge.ts';
import { NewerFormat } from './core/judge/newer-format.ts';
import { restoringHistory } from './core/score/history.ts';
import type { PartitionParts } from './judge.ts';
import { judgeDocuments } from './judge-documents.ts';
import { Judging } from './judging.ts';
import { Learner } from './learner.ts';
import { Turn } from './turn.ts';

/** Undefined when the partition was taken away meanwhile. */
export async function restore(
  assigned: Assigned,
  signal: AbortSignal,
  { bus, signer, documents, metrics, clock, log, workloads, restores, roleOptions }: PartitionParts,
): Promise<{ state: JudgeState; judging: Judging; learner: Learner } | undefined> {
  const { partition } = assigned;
  const started = clock.now();
  const { entries, learned } = await readEntries(assigned);
  const setAside = (key: string) => {
    log.error({ topic: 'alert-state', partition, key }, 'an entry of the state cannot be read and has no effect');
    metrics.count('eyrie_dead_letters_total', { stage: 'judge', reason: 'unreadable' });
  };
  return restores.run(async () => {
    const history = await readState(partition, restoringHistory(learned, setAside), signal);
    if (history === undefined) return undefined;
    const learner = new Learner(history);
    const { batchBytes: _, ...settings } = roleOptions;
    const options: JudgeOptions = {
      ...DEFAULTS,
      ...settings,
      score: (input) => learner.score(input),
      identify: (subject) => workloads.identify(subject),
      inventory: { version: () => workloads.version, isSteady: (subject) => workloads.isSteady(subject) },
      hasInventory: (tenant, cluster) => workloads.hasInventory(tenant, cluster),
    };
    const state = await readState(partition, restoringState(partition, entries, options, setAside), signal);
    if (state === undefined) return undefined;
    metrics.set('eyrie_state_restore_seconds', { partition: String(partition) }, (clock.now() - started) / 1000);
    const judging = new Judging(state, { bus, signer, options, documents: judgeDocuments(documents), learner });
    return { state, judging, learner };
  });
}

async function readEntries(assigned: Assigned) {
  const entries: (readonly [string, Buffer])[] = [];
  const learned: (readonly [string, Buffer])[] = [];
  const turn = new Turn();
  turn.begin();
  for await (const entry of assigned.restore()) {
    (entry[0].startsWith('history/') ? learned : entries).push(entry);
    await turn.share();
  }
  return { entries, learned };
}

/**
 * Piece by piece: a hundred thousand windows take seconds, in which heartbeats and posts must have their turn. Undefined on
 * abort. @throws AppError EYRIE_DATA_DIR_NEWER where a newer version wrote the state
 */
async function readState<T>(
  partition: number,
  steps: Generator<undefined, T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const turn = new Turn();
  turn.begin();
  try {
    while (!signal.aborted) {
      const step = steps.next();
      if (step.done === true) return step.value;
      await turn.share();
    }
    return undefined;
  } catch (cause) {
    if (!(cause instanceof NewerFormat)) throw cause;
    const message = `alert-state of partition ${partition}: ${cause.message}. Run the version that wrote it`;
    throw new AppError('EYRIE_DATA_DIR_NEWER', message, { cause });
  }
}
