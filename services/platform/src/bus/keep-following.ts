import type { TopicName } from '@eyrie/schemas';
import { systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Bus, TakeFollowed } from './bus.ts';

/** Pause after a failed read, milliseconds. */
const RETRY_MS = 1_000;

/**
 * Follows a topic until aborted; after a failure it waits and goes on from `positions`, which `take` moves on as it
 * takes.
 */
export async function keepFollowing(
  { bus, log }: { readonly bus: Bus; readonly log: Logger },
  topic: TopicName,
  positions: readonly number[],
  take: TakeFollowed,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await bus.follow(topic, positions, take, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error({ err: error, topic }, 'a followed topic cannot be read, trying again');
      await systemClock.sleep(RETRY_MS, signal);
    }
  }
}
