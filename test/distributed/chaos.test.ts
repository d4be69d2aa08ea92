/**
 * Two processors, two archivers, two responders as processes on a real Kafka, killed with -9 at random moments and at
 * failpoints, and put to sleep beyond their session: what comes out equals an undisturbed run, and no script runs twice.
 * Each safeguard taken away is found out. A few rounds by default; EYRIE_CHAOS=full runs all of `make chaos`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBroker } from '../kafka/broker.ts';
import { leftOut } from '../kafka/left-out.ts';
import { killAt, killAtRandom, sleepAt } from './disturb.ts';
import type { Result } from './result.ts';
import { type RunOptions, run } from './run.ts';
import { expectSound } from './sound.ts';

const FULL = process.env['EYRIE_CHAOS'] === 'full';
const ROUNDS = FULL ? 50 : 3;
const ZOMBIES = FULL ? 20 : 1;
const EVENTS = FULL ? 20_000 : 3_000;
const RATE = FULL ? 1_000 : 300;
const ROLES = ['processor', 'archiver', 'responder'] as const;
const PATIENCE_MS = 600_000;

const broker = await findBroker();

if (typeof broker === 'string') leftOut('distributed chaos', broker);
else {
  const { brokers } = broker;
  let undisturbed: Result;

  beforeAll(async () => {
    undisturbed = await run({ brokers, events: EVENTS });
    expect(undisturbed.rows).toBe(EVENTS);
    expect(undisturbed.fingerprints.size).toBeGreaterThan(100);
    expect(undisturbed.traces.length).toBeGreaterThan(10);
    expectSound(undisturbed, undisturbed);
  }, PATIENCE_MS);
  afterAll(() => broker.stop());

  const disturbed = (disturbance: Pick<RunOptions, 'before' | 'disturb'>, more: Partial<RunOptions> = {}) =>
    run({ brokers, events: EVENTS, rate: RATE, actions: undisturbed.traces.length, ...disturbance, ...more });

  describe('killed with -9', () => {
    for (let round = 1; round <= ROUNDS; round += 1) {
      it(
        `at random moments everything comes out as if undisturbed, round ${round}`,
        async () => {
          let kills = 0;
          const result = await disturbed(killAtRandom(round, () => (kills += 1)));
          expect(kills).toBeGreaterThan(2);
          expectSound(result, undisturbed);
        },
        PATIENCE_MS,
      );
    }

    it.each([
      ['before-log-commit', 'before-clickhouse-insert', 'after-intent'],
      ['after-state-commit', 'after-clickhouse-insert', 'before-effect'],
      ['before-position-commit', 'after-position-commit', 'after-effect'],
    ] as const)(
      'at failpoints (processor at %s, archiver at %s, responder at %s) everything comes out as if undisturbed',
      async (...failpoints) => {
        const places = ROLES.map((role, index) => [`${role}-0`, failpoints[index] ?? failpoints[0]] as const);
        const killed: string[] = [];
        const result = await disturbed(killAt(places, ([name]) => killed.push(name)));
        expect(new Set(killed).size, 'a failpoint was never passed').toBe(ROLES.length);
        expectSound(result, undisturbed);
      },
      PATIENCE_MS,
    );
  });

  describe('asleep in the middle of a step beyond the session, and awake again', () => {
    const PLACES = [
      ['processor', 'before-state-commit'],
      ['archiver', 'before-clickhouse-insert'],
      ['responder', 'before-effect'],
      ['processor', 'before-log-commit'],
      ['archiver', 'after-clickhouse-insert'],
      ['responder', 'before-intent'],
    ] as const;

    for (let round = 1; round <= ZOMBIES; round += 1) {
      it(
        `commits nothing, adds no row, acts no second time, round ${round}`,
        async () => {
          const [from, twin] = [(round % 2) * 3, round % 4 > 1 ? 0 : 1];
          const places = PLACES.slice(from, from + 3).map(
            ([role, failpoint]) => [`${role}-${twin}`, failpoint] as const,
          );
          let asleep = 0;
          const result = await disturbed(sleepAt(places, () => (asleep += 1)));
          expect(asleep, 'a failpoint was never passed').toBe(3);
          expectSound(result, undisturbed);
        },
        PATIENCE_MS,
      );
    }
  });

  describe('a safeguard taken away is found out', () => {
    it(
      'without the fence a sleeper commits its step beside the new owner, and events and alerts are there twice',
      async () => {
        // A sleeper whose first step carries no event doubles none: then the other one sleeps.
        let doubled = 0;
        for (const name of ['processor-0', 'processor-1', 'processor-0']) {
          const sleep = sleepAt([[name, 'before-state-commit']], () => {});
          const result = await disturbed(sleep, { sabotage: 'no-fence' });
          doubled = result.rows + result.doubledVersions - result.ids;
          if (doubled > 0) break;
        }
        expect(doubled).toBeGreaterThan(0);
      },
      PATIENCE_MS,
    );

    it(
      'without the token an insert that is repeated adds its rows again',
      async () => {
        // An insert into a table that nobody counts doubles nothing seen here: then another one is repeated.
        let doubled = 0;
        for (const name of ['archiver-0', 'archiver-1', 'archiver-0']) {
          const kill = killAt([[name, 'after-clickhouse-insert']], () => {});
          const result = await disturbed(kill, { sabotage: 'no-token' });
          doubled = result.rows + result.doubledVersions - result.ids;
          if (doubled > 0) break;
        }
        expect(doubled).toBeGreaterThan(0);
      },
      PATIENCE_MS,
    );

    it(
      'without the memory against redelivery what is sent twice counts twice',
      async () => {
        const result = await run({ brokers, events: EVENTS, sabotage: 'no-memory' });
        expect(result.rows).toBeGreaterThan(result.ids);
        expect(result.fingerprints).not.toEqual(undisturbed.fingerprints);
      },
      PATIENCE_MS,
    );
  });
}
