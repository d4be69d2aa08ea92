/**
 * Three brokers: one after the other killed and started again, then all of them gone for a while; and ClickHouse gone,
 * its answers lost, held and cut. What comes out equals an undisturbed run, without a hand.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../kafka/cluster.ts';
import type { Node } from '../kafka/java.ts';
import { leftOut, OWN_BROKER, whyNoJava } from '../kafka/left-out.ts';
import { wait } from './fleet.ts';
import type { Result } from './result.ts';
import { type Run, run } from './run.ts';
import { expectSound } from './sound.ts';

const FULL = process.env['EYRIE_CHAOS'] === 'full';
const ROUNDS = FULL ? 10 : 1;
const EVENTS = FULL ? 20_000 : 3_000;
const RATE = FULL ? 500 : 150;
const BROKERS_AWAY_MS = FULL ? 120_000 : 30_000;
const CLICKHOUSE_AWAY_MS = FULL ? 600_000 : 30_000;
const PATIENCE_MS = 1_200_000;

const why = whyNoJava();

if (why !== undefined) leftOut('outages of brokers and ClickHouse', why, OWN_BROKER);
else {
  let nodes: readonly Node[] = [];
  let undisturbed: Result;
  const brokers = () => nodes.map(({ address }) => address);
  const disturbed = (disturb: (run: Run) => Promise<void>) =>
    run({
      brokers: brokers(),
      replicationFactor: 3,
      events: EVENTS,
      rate: RATE,
      actions: undisturbed.traces.length,
      disturb,
    });

  beforeAll(async () => {
    nodes = await startCluster();
    undisturbed = await run({ brokers: brokers(), replicationFactor: 3, events: EVENTS });
    expect(undisturbed.rows).toBe(EVENTS);
  }, PATIENCE_MS);
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.remove()));
  });

  /** Whoever loses its partition loses sight of the scripts that run: they stand as unknown. */
  const expectSame = (result: Result) => expectSound(result, undisturbed, undisturbed.traces.length);

  describe('brokers', () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      it(
        `killed one after the other and started again, round ${round}`,
        async () => {
          const result = await disturbed(async () => {
            for (const node of nodes) {
              await wait(2_000);
              await node.kill();
              await wait(4_000);
              await node.start();
            }
          });
          expectSame(result);
        },
        PATIENCE_MS,
      );
    }

    it(
      `all gone for ${BROKERS_AWAY_MS / 1_000} s`,
      async () => {
        const result = await disturbed(async () => {
          await wait(3_000);
          await Promise.all(nodes.map((node) => node.kill()));
          await wait(BROKERS_AWAY_MS);
          await Promise.all(nodes.map((node) => node.start()));
        });
        expectSame(result);
      },
      PATIENCE_MS,
    );
  });

  describe('ClickHouse', () => {
    it(
      `gone for ${CLICKHOUSE_AWAY_MS / 1_000} s`,
      async () => {
        const result = await disturbed(async ({ proxy }) => {
          await wait(3_000);
          await proxy.down();
          await wait(CLICKHOUSE_AWAY_MS);
          await proxy.up();
        });
        expectSame(result);
      },
      PATIENCE_MS,
    );

    it(
      'carries out inserts whose answer is lost or cut, and breaks connections in the middle',
      async () => {
        const result = await disturbed(async ({ proxy, isSent }) => {
          while (!isSent()) {
            proxy.meet('answer-lost', 'body-cut', 'unavailable');
            await wait(500);
            proxy.cut();
            await wait(500);
          }
        });
        expectSame(result);
      },
      PATIENCE_MS,
    );
  });
}
