import type { Bus } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import type { Metrics } from '@eyrie/platform/metrics';

/** Holds a topic's backlog back, so that what arrives by HTTP does not wait behind a week of it. */
export interface Pace {
  /** Waits a second while `prepare` is far behind in that raw partition. Never stops: the topic forgets as well. */
  wait(partition: number, signal: AbortSignal): Promise<void>;
}

const GROUP = 'prepare';
/** Some tens of frames: a second or two of work. */
const FAR_OFFSETS = 100;
const ASK_MS = 1_000;

export function createPace(deps: { readonly bus: Bus; readonly clock: Clock; readonly metrics: Metrics }): Pace {
  const { bus, clock, metrics } = deps;
  let asked = Number.NEGATIVE_INFINITY;
  let behind: Promise<ReadonlySet<number>> = Promise.resolve(new Set());

  async function ask(): Promise<ReadonlySet<number>> {
    try {
      const far = (await bus.groups()).filter(
        ({ group, topic, next, end }) => group === GROUP && topic === 'raw' && end - next > FAR_OFFSETS,
      );
      return new Set(far.map(({ partition }) => partition));
    } catch {
      return new Set();
    }
  }

  return {
    wait: async (partition, signal) => {
      if (clock.now() - asked >= ASK_MS) {
        asked = clock.now();
        behind = ask();
      }
      if (!(await behind).has(partition)) return;
      metrics.count('eyrie_bound_reached_total', { bound: 'inputs_ahead_of_prepare' });
      await clock.sleep(ASK_MS, signal);
    },
  };
}
