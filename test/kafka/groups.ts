import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Bus } from '@eyrie/platform/bus/bus';
import { readAll } from '@eyrie/platform/testing/contracts/read-all';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COPY_GROUP, copy } from './copy.ts';
import { openBus } from './kafka-child.ts';
import type { TemporaryKafka } from './temporary-bus.ts';

const PARTITIONS = [0, 1, 2];
const ZOMBIES = 3 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
/** Above the session timeout of the tests. */
const ASLEEP_MS = 3_500;
const TIMEOUT_MS = 120_000;

/** What the contract cannot ask of an adapter with one process: members that come, go, die and wake. */
export function describeGroups(make: () => Promise<TemporaryKafka>): void {
  describe('groups on Kafka', () => {
    let under: TemporaryKafka;
    const others: Bus[] = [];

    beforeEach(async () => {
      under = await make();
    });
    afterEach(async () => {
      await Promise.all(others.splice(0).map((bus) => bus.close()));
      await under.remove();
    });

    async function another(): Promise<Bus> {
      const bus = await openBus(under.child.argument);
      others.push(bus);
      return bus;
    }

    test(
      'partitions move between members under load: every record is copied once, in order',
      async () => {
        const owners = [new Set<number>(), new Set<number>()];
        const [first, second] = [await another(), await another()];
        const feeding = new AbortController();
        const fed = feed(under.bus, feeding.signal);
        const one = copy(first, (_, partition) => owners[0]?.add(partition));
        await until(() => owners[0]?.size === 3);
        for (let round = 0; round < 3; round += 1) {
          owners[1]?.clear();
          const two = copy(second, (_, partition) => owners[1]?.add(partition));
          await until(() => owners[1]?.size === 1);
          await two.leave();
          await two.done;
        }
        feeding.abort();
        const count = await fed;
        await copied(under.bus, count);
        await one.leave();
        await one.done;
        await compare(under.bus, count);
      },
      TIMEOUT_MS,
    );

    test(
      'a member that slept through its session commits nothing any more',
      async () => {
        const own = await another();
        let count = 0;
        for (let round = 0; round < ZOMBIES; round += 1) {
          const feeding = new AbortController();
          const fed = feed(under.bus, feeding.signal, count);
          const zombie = await startChild(under.child.argument);
          zombie.kill('SIGSTOP');
          let took = 0;
          const membership = copy(own, () => {
            took += 1;
          });
          await new Promise((resolve) => setTimeout(resolve, ASLEEP_MS));
          await until(() => took > 10);
          zombie.kill('SIGCONT');
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          feeding.abort();
          count = await fed;
          await copied(under.bus, count);
          await Promise.all([membership.leave(), killed(zombie)]);
          await membership.done;
          await compare(under.bus, count);
        }
      },
      TIMEOUT_MS * ZOMBIES,
    );
  });
}

/** Appends numbers to each partition until told to stop; @returns how many each has */
async function feed(bus: Bus, signal: AbortSignal, first = 0): Promise<number> {
  let number = first;
  while (!signal.aborted) {
    const value = Buffer.from(String(number));
    await bus.append(PARTITIONS.map((partition) => ({ topic: 'events', partition, value })));
    number += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return number;
}

async function copied(bus: Bus, count: number): Promise<void> {
  const counts = () =>
    Promise.all(PARTITIONS.map(async (partition) => (await readAll(bus, 'alerts', partition)).length));
  await until(async () => (await counts()).every((found) => found >= count));
}

async function compare(bus: Bus, count: number): Promise<void> {
  for (const partition of PARTITIONS) {
    const alerts = (await readAll(bus, 'alerts', partition)).map(({ value }) => Number(value));
    expect(alerts).toEqual(Array.from({ length: count }, (_, i) => i));
    const [state] = await bus.readState('alert-state', partition, 'count');
    expect(Number(state?.[1])).toBe(count);
  }
  const read = (await bus.groups()).filter(({ group, topic }) => group === COPY_GROUP.group && topic === 'events');
  expect(read.map(({ next, end }) => end - next)).toEqual([0, 0, 0]);
}

/** Running, and in the middle of its work. */
async function startChild(argument: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'copy-child.ts'), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((resolve) => {
    let steps = 0;
    child.stdout?.on('data', () => {
      steps += 1;
      if (steps === 10) resolve();
    });
  });
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function until(condition: () => boolean | undefined | Promise<boolean>): Promise<void> {
  while ((await condition()) !== true) await new Promise((resolve) => setTimeout(resolve, 20));
}
