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
/** Failures in a row without a step forward, from which on the log says that the partition is blocked. */
const BLOCKED_AFTER = 3;
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
    let failedAt = '';
    let failures = 0;
    while (!stopping.signal.aborted) {
      const started = clock.now();
      try {
        membership = bus.join(spec, run);
        await membership.done;
      } catch (error) {
        if (stopping.signal.aborted) return;
        if (clock.now() - started > STEADY_MS) waitMs = FIRST_WAIT_MS;
        log.error({ err: error, group: spec.group, waitMs }, 'stopped; starts anew from the committed state');
        const position = await positionText();
        failures = position === failedAt ? failures + 1 : 1;
        failedAt = position;
        if (failures >= BLOCKED_AFTER) {
          log.error(
            { err: error, group: spec.group, failures, position },
            'blocked: fails again and again on the record at one of these positions; nothing is lost and nothing goes on',
          );
        }
        await clock.sleep(waitMs, stopping.signal);
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      }
    }
  }

  /** `topic/partition@next` of each input: where the failing record is. */
  async function positionText(): Promise<string> {
    try {
      const held = (await bus.groups()).filter(({ group }) => group === spec.group);
      return held.map(({ topic, partition, next }) => `${topic}/${partition}@${next}`).join(' ');
    } catch {
      return 'unknown';
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
