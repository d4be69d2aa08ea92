import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { Client } from '@eyrie/platform/bus/kafka/client';
import { Fetcher } from '@eyrie/platform/bus/kafka/fetcher';
import { type KafkaOptions, openKafka } from '@eyrie/platform/bus/kafka/kafka';
import { Names } from '@eyrie/platform/bus/kafka/names';
import { Reader } from '@eyrie/platform/bus/kafka/reader';
import { Standby } from '@eyrie/platform/bus/kafka/standby';
import { createMetrics } from '@eyrie/platform/metrics';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STATE_GROUP } from './kafka-child.ts';
import type { TemporaryKafka } from './temporary-bus.ts';

const PARTITIONS = [0, 1, 2];
const STANDBY_BYTES = 64 * 1024 * 1024;
const WAIT = { timeout: 60_000, interval: 50 };

/** A process that follows the state of what others own, and takes it over. */
export function describeStandby(make: () => Promise<TemporaryKafka>): void {
  describe('standby on Kafka', () => {
    let under: TemporaryKafka;
    const fetchers: Fetcher[] = [];

    beforeEach(async () => {
      under = await make();
    });
    afterEach(async () => {
      await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.close()));
      await under.remove();
    });

    test('the owner is killed: what it committed is what the one that followed goes on from', async () => {
      const owner = spawn(process.execPath, [join(import.meta.dirname, 'state-child.ts'), under.child.argument], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const steps = countSteps(owner);
        await expect.poll(() => PARTITIONS.every((partition) => (steps.get(partition) ?? 0) > 10), WAIT).toBe(true);
        const metrics = createMetrics();
        const options: KafkaOptions = { ...under.options, metrics, standbyBytes: STANDBY_BYTES };
        const bus = await openKafka(options);
        const restored = new Map<number, Map<string, Buffer>>();
        const membership = bus.join(STATE_GROUP, async (assigned, signal) => {
          const state = new Map<string, Buffer>();
          for await (const [key, value] of assigned.restore()) state.set(key, value);
          restored.set(assigned.partition, state);
          if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        });
        // It shares the partitions now, and follows the rest while the owner goes on.
        await expect.poll(() => restored.size, WAIT).toBeGreaterThan(0);
        const followed = async () => (await metrics.read('eyrie_bus_standby_entries')).some(([, count]) => count > 100);
        await expect.poll(followed, WAIT).toBe(true);
        const seen = total(steps);
        await expect.poll(() => total(steps), WAIT).toBeGreaterThan(seen + 20);
        owner.kill('SIGKILL');
        await expect.poll(() => restored.size, WAIT).toBe(PARTITIONS.length);
        const cold = await openKafka(under.options);
        for (const partition of PARTITIONS) {
          const committed = new Map(await cold.readState('alert-state', partition, ''));
          expect(committed.size).toBeGreaterThan(50);
          expect(restored.get(partition)).toEqual(committed);
        }
        const restores = new Map((await metrics.read('eyrie_bus_restores_total')).map(([{ from }, n]) => [from, n]));
        expect(restores.get('standby')).toBeGreaterThan(0);
        await membership.leave();
        await Promise.all([bus.close(), cold.close()]);
      } finally {
        owner.kill('SIGKILL');
      }
    });

    test('a standby that left out the tail would be found, and so would one that kept what was removed', async () => {
      await change([
        ['kept', 'before'],
        ['changed', 'before'],
        ['removed', 'before'],
      ]);
      const { standby, stop } = follow(STANDBY_BYTES);
      const found = await following(standby);
      await change([
        ['changed', 'after'],
        ['removed', null],
        ['new', 'after'],
      ]);
      const reader = readerOf();
      const whole = { kept: 'before', changed: 'after', new: 'after' };
      const copy = () => ({ ...found, state: new Map(found.state) });
      expect(textOf(await reader.readState('alert-state', 0, ''))).toEqual(whole);
      expect(textOf(await reader.readState('alert-state', 0, '', copy()))).toEqual(whole);
      const { end } = await under.bus.bounds('alert-state', 0);
      expect(textOf(await reader.readState('alert-state', 0, '', { ...copy(), next: end }))).not.toEqual(whole);
      // Beyond the end it belongs to another log of that name.
      expect(textOf(await reader.readState('alert-state', 0, '', { ...copy(), next: end + 1 }))).toEqual(whole);
      await stop();
    });

    test('what does not fit is not followed: counted, and restored from the log', async () => {
      await change(Array.from({ length: 50 }, (_, i) => [`key ${i}`, 'x'.repeat(500)] as const));
      const { standby, metrics, stop } = follow(10_000);
      const bound = async () => (await metrics.read('eyrie_bound_reached_total')).map(([labels]) => labels['bound']);
      await expect.poll(bound, WAIT).toContain('standby_bytes');
      expect(standby.take(0)).toBeUndefined();
      await stop();
    });

    function follow(maxBytes: number) {
      const metrics = createMetrics();
      const { options } = under;
      const names = new Names(options.prefix);
      const client = new Client(options);
      const what = { group: 'judge', topic: 'alert-state', partitions: 1, maxBytes } as const;
      const standby = new Standby({ ...options, client, names, metrics, ...what });
      return { standby, metrics, stop: () => standby.stop() };
    }

    /** What it has followed once there is something. */
    async function following(standby: Standby) {
      for (;;) {
        const found = standby.take(0);
        if (found !== undefined) return found;
        standby.giveBack(0);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    function readerOf(): Reader {
      const { options } = under;
      const { clock, metrics } = options;
      const fetcher = new Fetcher(new Client(options), clock, metrics);
      fetchers.push(fetcher);
      return new Reader({ fetcher, names: new Names(options.prefix), clock, metrics });
    }

    async function change(entries: readonly (readonly [string, string | null])[]): Promise<void> {
      const state = entries.map(([key, value]) => [key, value === null ? null : Buffer.from(value)] as const);
      await under.bus.join(STATE_GROUP, async (assigned) => {
        if (assigned.partition === 0) await assigned.transact({ positions: [], state });
      }).done;
    }
  });
}

function countSteps(child: ChildProcess): ReadonlyMap<number, number> {
  const steps = new Map<number, number>();
  child.stdout?.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) steps.set(Number(line), (steps.get(Number(line)) ?? 0) + 1);
  });
  return steps;
}

function total(steps: ReadonlyMap<number, number>): number {
  return [...steps.values()].reduce((sum, count) => sum + count, 0);
}

function textOf(state: ReadonlyMap<string, Buffer>): Readonly<Record<string, string>> {
  return Object.fromEntries([...state].map(([key, value]) => [key, value.toString('utf8')]));
}
