import type { Failpoint } from '../../services/platform/src/failpoint.ts';
import { wait } from './fleet.ts';
import { type Run, type RunOptions, SESSION_TIMEOUT_MS } from './run.ts';

/** The twins: whoever is killed, the other one goes on. */
const VICTIMS = ['processor-0', 'processor-1', 'archiver-0', 'archiver-1', 'responder-0', 'responder-1'];

/** How long a failpoint is waited for. */
const FAILPOINT_MS = 30_000;

type Disturbance = Pick<RunOptions, 'before' | 'disturb'>;
type Place = readonly [name: string, failpoint: Failpoint];

/** Kills members at random moments, one after the other, until all was sent, and a few times more. */
export function killAtRandom(seed: number, onKill: () => void): Disturbance {
  return {
    disturb: async (run) => {
      const random = generator(seed);
      let after = 3;
      while (after > 0) {
        const victim = run.member(VICTIMS[Math.floor(random() * VICTIMS.length)] ?? '');
        await wait(random() * 1_500);
        await victim.end('SIGKILL');
        onKill();
        if (run.isSent()) after -= 1;
        await wait(random() * 500);
        await victim.start();
      }
    },
  };
}

/** Members that die when they first pass a failpoint, and at the first pass of their next life again. */
export function killAt(places: readonly Place[], onKill: (place: Place) => void): Disturbance {
  const arm = async (run: Run, [name, failpoint]: Place) => {
    await run.member(name).end('SIGKILL');
    await run.member(name).start({ EYRIE_FAILPOINT: failpoint });
  };
  const kill = async (run: Run, place: Place) => {
    const [name, failpoint] = place;
    const victim = run.member(name);
    for (const life of [1, 2]) {
      const deadline = performance.now() + FAILPOINT_MS;
      while (victim.child()?.signalCode === null && performance.now() < deadline) await wait(20);
      if (victim.child()?.signalCode === 'SIGKILL') onKill(place);
      await victim.end('SIGKILL');
      await victim.start(life === 1 ? { EYRIE_FAILPOINT: failpoint } : {});
    }
  };
  return {
    before: async (run) => void (await Promise.all(places.map((place) => arm(run, place)))),
    disturb: async (run) => void (await Promise.all(places.map((place) => kill(run, place)))),
  };
}

/** Members that stop in the middle of a step for so long that others take over, and then go on with it. */
export function sleepAt(places: readonly Place[], onSleep: () => void): Disturbance {
  const arm = async (run: Run, [name, failpoint]: Place) => {
    await run.member(name).end('SIGKILL');
    await run.member(name).start({ EYRIE_FAILPOINT: `${failpoint}:1:stop` });
  };
  const sleep = async (run: Run, [name]: Place) => {
    const victim = run.member(name);
    const deadline = performance.now() + FAILPOINT_MS;
    while (!victim.isAsleep() && performance.now() < deadline) await wait(20);
    if (victim.isAsleep()) onSleep();
    await wait(2 * SESSION_TIMEOUT_MS + 1_000);
    victim.resume();
    await wait(2_000);
  };
  return {
    before: async (run) => void (await Promise.all(places.map((place) => arm(run, place)))),
    disturb: async (run) => void (await Promise.all(places.map((place) => sleep(run, place)))),
  };
}

/** 0…1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}
