import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { Vitals } from '../vitals.ts';
import type { Assigned, Bus, GroupSpec, Membership } from './bus.ts';

interface Dependencies {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told whether the group works. */
  readonly vitals?: Vitals;
}

/** `ready` is to be called once the run has restored what it needs. */
export type KeptRun<A = Assigned> = (assigned: A, signal: AbortSignal, ready: () => void) => Promise<void>;

interface Keeping<A> {
  readonly group: string;
  readonly join: (run: (assigned: A, signal: AbortSignal) => Promise<void>) => Membership;
  readonly run: KeptRun<A>;
  /** An error no new start can mend: the loop ends and says so. Every other one is followed by a new start. */
  readonly isFatal: (error: unknown) => boolean;
  readonly onFatal: (error: unknown) => void;
}

interface Kept extends Omit<Keeping<Assigned>, 'group' | 'join'> {
  readonly spec: GroupSpec;
}

export interface KeptGroup {
  /** Leaves the group and resolves when its runs have ended. */
  stop(): Promise<void>;
}

const WAIT_MS = { first: 100, longest: 10_000 } as const;
/** A run longer than this was no repetition of the failure before it. */
const STEADY_MS = 60_000;
/** Failures in a row without a step forward, from which on the log says that the partition is blocked. */
const BLOCKED_AFTER = 3;

/**
 * A member of a group that starts anew after an error: whatever a run held in memory is thrown away and the next one
 * goes on from the committed state, so an error can repeat work and never lose or double it.
 */
export function keepJoined(deps: Dependencies, { spec, ...kept }: Kept): KeptGroup {
  return keepMember(deps, { ...kept, group: spec.group, join: (run) => deps.bus.join(spec, run) });
}

/** The same for whatever makes members. */
export function keepMember<A extends { readonly partition: number }>(
  deps: Dependencies,
  { group: name, join, run, isFatal, onFatal }: Keeping<A>,
): KeptGroup {
  const { bus, clock, log } = deps;
  const stopping = new AbortController();
  const working = new Set<number>();
  let membership: Membership | undefined;
  deps.vitals?.watch(name, () => {
    const given = membership?.partitions();
    return given?.every((partition) => working.has(partition)) === true;
  });

  async function runOne(assigned: A, signal: AbortSignal): Promise<void> {
    try {
      await run(assigned, signal, () => working.add(assigned.partition));
    } finally {
      working.delete(assigned.partition);
    }
  }

  async function keep(): Promise<void> {
    let waitMs: number = WAIT_MS.first;
    const blocked = new Blocked();
    while (!stopping.signal.aborted) {
      const started = clock.now();
      try {
        membership = join(runOne);
        await membership.done;
        return;
      } catch (error) {
        membership = undefined;
        // What the end of the process cut short is repeated by the next one.
        if (stopping.signal.aborted && !isFatal(error)) return;
        if (isFatal(error)) {
          log.error({ err: error, group: name }, 'stopped for good');
          onFatal(error);
          return;
        }
        if (clock.now() - started > STEADY_MS) waitMs = WAIT_MS.first;
        log.error({ err: error, group: name, waitMs }, 'stopped; starts anew from the committed state');
        const failures = blocked.failedAt(await positionText());
        if (failures >= BLOCKED_AFTER) {
          log.error(
            { err: error, group: name, failures, position: blocked.position },
            'blocked: fails again and again, on the record at one of these positions or in taking up its state; nothing is lost and nothing goes on',
          );
        }
        await clock.sleep(waitMs, stopping.signal);
        waitMs = Math.min(WAIT_MS.longest, waitMs * 2);
      }
    }
  }

  /** `topic/partition@next` of each input: where the failing record is. */
  async function positionText(): Promise<string> {
    try {
      const held = (await bus.groups()).filter(({ group }) => group === name);
      return held.map(({ topic, partition, next }) => `${topic}/${partition}@${next}`).join(' ');
    } catch {
      return 'unknown';
    }
  }

  const kept = keep();
  return {
    stop: async () => {
      stopping.abort();
      await membership?.leave();
      await kept;
    },
  };
}

/** Counts failures in a row at one position. */
class Blocked {
  position = '';
  #failures = 0;

  failedAt(position: string): number {
    this.#failures = position === this.position ? this.#failures + 1 : 1;
    this.position = position;
    return this.#failures;
  }
}
