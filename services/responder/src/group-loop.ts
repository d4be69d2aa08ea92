import type { Assigned, Bus, GroupSpec, Membership } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import { isRetryable } from '@eyrie/platform/errors';
import type { Logger } from '@eyrie/platform/log';

const WAIT_MS = 1_000;

export interface GroupLoop {
  stop(): Promise<void>;
}

/** Joins a group, and again when a step failed for a reason that may pass (a full disk); others end the process. */
export function keepJoined(
  bus: Bus,
  spec: GroupSpec,
  deps: { readonly clock: Clock; readonly log: Logger; readonly onFailure: (error: unknown) => void },
  run: (assigned: Assigned, signal: AbortSignal) => Promise<void>,
): GroupLoop {
  const stopping = new AbortController();
  let membership: Membership | undefined;
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      membership = bus.join(spec, run);
      try {
        await membership.done;
        return;
      } catch (error) {
        deps.log.error({ err: error, group: spec.group }, 'a step failed');
        if (!isRetryable(error)) {
          deps.onFailure(error);
          return;
        }
        await deps.clock.sleep(WAIT_MS, stopping.signal);
      }
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await membership?.leave();
      await loop;
    },
  };
}
