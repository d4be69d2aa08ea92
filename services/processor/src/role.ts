import type { Bus, GroupSpec } from '@eyrie/platform/bus/bus';
import { firstUnread } from '@eyrie/platform/bus/first-unread';
import { type KeptGroup, type KeptRun, keepJoined } from '@eyrie/platform/bus/keep-joined';
import type { Clock } from '@eyrie/platform/clock';
import { AppError } from '@eyrie/platform/errors';
import type { Component } from '@eyrie/platform/lifecycle';
import type { Logger } from '@eyrie/platform/log';
import type { Vitals } from '@eyrie/platform/vitals';

export interface Role extends Component {
  /** Everything written to the inputs so far is judged or prepared, and committed. */
  caughtUp(): Promise<boolean>;
}

export interface RoleDependencies {
  readonly bus: Bus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly vitals?: Vitals;
  /** Told of what cannot pass by waiting: the process must end, its input is read again. */
  readonly onFailure: (error: unknown) => void;
}

interface RoleParts {
  readonly spec: GroupSpec;
  readonly run: KeptRun;
  readonly onStart?: () => Promise<void>;
  readonly onStop?: () => Promise<void>;
}

/** A stage that reads a group for as long as the process lives. A bug does not end it: the next start may have its mend. */
export function createRole(deps: RoleDependencies, { spec, run, onStart, onStop }: RoleParts): Role {
  let kept: KeptGroup | undefined;
  return {
    name: spec.group,
    start: async () => {
      await onStart?.();
      kept = keepJoined(deps, {
        spec,
        run,
        isFatal: (error) => error instanceof AppError && error.code === 'EYRIE_CONFIG_INVALID',
        onFatal: deps.onFailure,
      });
    },
    stop: async () => {
      await kept?.stop();
      await onStop?.();
    },
    caughtUp: async () => {
      const positions = (await deps.bus.groups()).filter(({ group }) => group === spec.group);
      const unread = await Promise.all(positions.map((position) => firstUnread(deps.bus, position)));
      return positions.length > 0 && unread.every((record) => record === undefined);
    },
  };
}
