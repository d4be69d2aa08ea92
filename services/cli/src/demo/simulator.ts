import { type ClusterId, msOfNanos, type Nanos, nanosOfMs } from '@eyrie/schemas';
import { falcoLine } from './falco-line.ts';
import { createFleet, type PodSnapshot, snapshotOf } from './fleet.ts';
import { createRandom } from './random.ts';
import { RULES } from './rules.ts';
import { type Act, createScenes } from './scenes.ts';

export interface SimulatorOptions {
  readonly seed: number;
  /** Milliseconds: when the cluster begins to talk. */
  readonly startMs: number;
  /** Default `default`. */
  readonly cluster?: string;
}

export interface Simulator {
  /** Every pod as an inventory reports it. */
  workloads(): readonly PodSnapshot[];
  /** Lines of Falco up to a time, milliseconds; each time goes on where it stopped. The same seed gives the same lines. */
  next(untilMs: number): string[];
}

const HEARTBEAT_MS = 30_000;
/** Share of container events the sensor raises before it knows the container. */
const EARLY = 0.05;

/** A small cluster with noise and a few attacks, for demonstrations and tests. Pure: time comes in. */
export function createSimulator({ seed, startMs, cluster = 'default' }: SimulatorOptions): Simulator {
  const random = createRandom(seed);
  const fleet = createFleet(random, startMs);
  const beats = {
    firstMs: 0,
    everyMs: HEARTBEAT_MS,
    isSteady: true,
    play: (): Act[] =>
      fleet.nodes.map((node) => ({ rule: RULES.heartbeat, node, afterMs: 0, values: { 'evt.type': 'openat' } })),
  };
  const scenes = [beats, ...createScenes(fleet, random).map((scene) => ({ ...scene, isSteady: false }))];
  const due = scenes.map(({ firstMs }) => startMs + firstMs);
  /** Acts begun before, and not yet due. */
  let waiting: { readonly time: Nanos; readonly act: Act }[] = [];

  function within(ms: number): Nanos {
    return (nanosOfMs(ms).slice(0, 13) + String(random.between(0, 1_000_000)).padStart(6, '0')) as Nanos;
  }

  function play(untilMs: number): void {
    for (;;) {
      const at = Math.min(...due);
      const scene = scenes[due.indexOf(at)];
      if (scene === undefined || at > untilMs) return;
      for (const act of scene.play()) waiting.push({ time: within(at + act.afterMs), act });
      due[due.indexOf(at)] = at + Math.round(scene.everyMs * (scene.isSteady ? 1 : 0.75 + random.next() / 2));
    }
  }

  return {
    workloads: () => fleet.pods.map((pod) => snapshotOf(pod, cluster as ClusterId, startMs)),
    next: (untilMs) => {
      play(untilMs);
      const ready = waiting.filter(({ time }) => msOfNanos(time) <= untilMs).sort((a, b) => (a.time < b.time ? -1 : 1));
      waiting = waiting.filter(({ time }) => msOfNanos(time) > untilMs);
      return ready.map(({ time, act: { afterMs: _, ...observation } }) =>
        falcoLine({ ...observation, time, isEarly: random.next() < EARLY }),
      );
    },
  };
}
