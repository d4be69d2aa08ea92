import type { Assigned, Bus, GroupSpec, Membership } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';

export interface Role extends Component {
  /** Everything written to the inputs so far is judged or prepared, and committed. */
  caughtUp(): Promise<boolean>;
}

interface RoleDependencies {
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
}

interface RoleParts {
  readonly spec: GroupSpec;
  readonly run: (assigned: Assigned, signal: AbortSignal) => Promise<void>;
  readonly onStart?: () => Promise<void>;
  readonly onStop?: () => Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** A run that lasted this long starts the waits anew. */
const STEADY_MS = 60_000;

/**
 * A member of a group that goes on after an error: whatever a run held in memory is thrown away and the next one starts
 * from the committed state, so an error can repeat work and never lose or double it.
 */
export function createRole({ bus, log, clock }: RoleDependencies, { spec, run, onStart, onStop }: RoleParts): Role {
  const stopping = new AbortController();
  let membership: Membership | undefined;
  let running: Promise<void> | undefined;

  async function keepRunning(): Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    while (!stopping.signal.aborted) {
      const started = clock.now();
      try {
        membership = bus.join(spec, run);
        await membership.done;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (clock.now() - started > STEADY_MS) waitMs = FIRST_WAIT_MS;
        log.error({ err: error, group: spec.group, waitMs }, 'stopped; starts anew from the committed state');
        await clock.sleep(waitMs, stopping.signal);
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      }
    }
  }

  return {
    name: spec.group,
    start: async () => {
      await onStart?.();
      running = keepRunning();
    },
    stop: async () => {
      stopping.abort();
      await membership?.leave();
      await running;
      await onStop?.();
    },
    caughtUp: async () => {
      const positions = (await bus.groups()).filter(({ group }) => group === spec.group);
      return positions.length > 0 && positions.every(({ next, end }) => next >= end);
    },
  };
}
