import type { BusRecord, TakeFollowed } from './bus.ts';

interface Logs {
  /** Committed records from an offset on; empty at the end. */
  read(partition: number, from: number): readonly BusRecord[];
  /** Resolves at the next commit that brings the partition something, after `maxWaitMs`, or on abort. */
  wait(partition: number, maxWaitMs: number, signal: AbortSignal): Promise<void>;
}

const WAIT_MS = 1_000;

/** Each partition by itself; what fails in one of them ends them all. */
export async function followLogs(
  logs: Logs,
  from: readonly number[],
  take: TakeFollowed,
  signal: AbortSignal,
): Promise<void> {
  const failing = new AbortController();
  const stop = AbortSignal.any([signal, failing.signal]);
  const follow = async (first: number, partition: number) => {
    // Nothing is given before the caller has its promise.
    await Promise.resolve();
    for (let next = first; !stop.aborted; ) {
      const records = logs.read(partition, next);
      const last = records.at(-1);
      if (last === undefined) {
        await logs.wait(partition, WAIT_MS, stop);
        continue;
      }
      next = last.offset + 1;
      take(partition, records, next);
      // Between two reads others get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const followed = from.map((first, partition) => follow(first, partition).catch((error) => failing.abort(error)));
  await Promise.all(followed);
  if (failing.signal.aborted) throw failing.signal.reason;
}
