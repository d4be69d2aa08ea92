import { env } from 'node:process';
import { LIMITS } from '@eyrie/schemas';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type History, history, type Move, type Run, runHistory, WINDOW } from './history.test-support.ts';
import * as judge from './judge.ts';

const runs = (count: number) => ({ numRuns: count * Number(env['EYRIE_TEST_RUNS'] ?? 1) });
const LONG = 3_600_000;

function total(run: Run): number {
  return run.held.reduce((sum, alert) => sum + alert.count, 0);
}

/** Events of one fingerprint each, all within less than one window, taken in as they lie. */
const closeEvents: fc.Arbitrary<History> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: WINDOW - 1 }), fc.nat({ max: 2 })), { minLength: 1, maxLength: 25 })
  .map((list) => ({
    hasInventory: true,
    duePerInput: 64,
    moves: list.map(([at, key]): Move => ({ kind: 'event', at, nanos: 0, lag: 0, shape: { ...PLAIN, key } })),
  }));

const PLAIN = {
  tenant: 0,
  key: 0,
  priority: 1,
  container: 3,
  host: 0,
  technique: 0,
  user: 0,
  band: 2,
  floor: false,
  overQuota: false,
  clamped: false,
  claims: 0,
};

describe('folding', { timeout: LONG }, () => {
  it('does what the naive model does, step by step and in the end, through restarts', () => {
    fc.assert(
      fc.property(history, (moves) => {
        runHistory(judge, moves);
      }),
      runs(300),
    );
  });

  it('loses nothing and doubles nothing: counts of alerts = distinct events, sums of targets too', () => {
    fc.assert(
      fc.property(history, (moves) => {
        const run = runHistory(judge, moves);
        expect(total(run)).toBe(run.events.length);
        for (const alert of run.held) {
          const onTargets = alert.targets.reduce((sum, target) => sum + target.count, 0);
          expect(onTargets + alert.targets_more).toBe(alert.count);
          expect(alert.targets.length).toBeLessThanOrEqual(LIMITS.targets);
          expect(alert.first_seen <= alert.opened_at && alert.opened_at <= alert.last_seen).toBe(true);
        }
      }),
      runs(100),
    );
  });

  it('holds at most one open alert of a fingerprint', () => {
    fc.assert(
      fc.property(history, (moves) => {
        const open = runHistory(judge, moves).held.filter((alert) => alert.state === 'open');
        expect(new Set(open.map((alert) => alert.fingerprint)).size).toBe(open.length);
      }),
      runs(100),
    );
  });

  it('counts by tenant, month and column what the list of alerts counts, numbered without gaps', () => {
    fc.assert(
      fc.property(history, (moves) => {
        const { held, changelog } = runHistory(judge, moves);
        const rows = [...changelog].filter(([key]) => key.startsWith('count/'));
        for (const [key, value] of rows) {
          const alerts = held.filter((alert) => key.startsWith(`count/${alert.tenant}/`));
          const suppressed = alerts.filter((alert) => alert.disposition === 'suppressed').length;
          expect(JSON.parse(value.toString())).toEqual({
            opened: alerts.length,
            shown: alerts.length - suppressed,
            suppressed,
            last_seq: alerts.length,
          });
          expect(alerts.map((alert) => alert.opening_seq).sort((a, b) => a - b)).toEqual(alerts.map((_, i) => i + 1));
        }
        expect(rows.length).toBe(new Set(held.map((alert) => alert.tenant)).size);
      }),
      runs(100),
    );
  });

  it('gives the same alerts from the same inputs, restarted anywhere or nowhere', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 40 }), (moves, where) => {
        // Without ticks, since what a restart forgets is since when nothing came.
        const timeless = moves.moves.filter((move) => move.kind !== 'wait' && move.kind !== 'restart');
        const cut = where % (timeless.length + 1);
        const restarted = [...timeless.slice(0, cut), { kind: 'restart' as const }, ...timeless.slice(cut)];
        const byKey = (run: Run) => [...run.changelog].map(([key, value]) => [key, readable(key, value)]).sort();
        const plain = runHistory(judge, { ...moves, moves: timeless });
        expect(byKey(runHistory(judge, { ...moves, moves: timeless }))).toEqual(byKey(plain));
        const alerts = (run: Run) => [...run.held].sort((a, b) => (a.alert_id < b.alert_id ? -1 : 1));
        expect(alerts(runHistory(judge, { ...moves, moves: restarted }))).toEqual(alerts(plain));
      }),
      runs(60),
    );
  });

  it('does not mind the order inside a window: same number of alerts, counts, first and last seen', () => {
    fc.assert(
      fc.property(closeEvents, fc.infiniteStream(fc.nat()), (moves, order) => {
        const shuffled = moves.moves
          .map((move) => ({ move, by: order.next().value ?? 0 }))
          .sort((a, b) => a.by - b.by)
          .map(({ move }) => move);
        const facts = (run: Run) =>
          run.held
            .map(({ rule, count, first_seen, last_seen }) => `${rule} ${count} ${first_seen} ${last_seen}`)
            .sort();
        expect(facts(runHistory(judge, { ...moves, moves: shuffled }))).toEqual(facts(runHistory(judge, moves)));
      }),
      runs(100),
    );
  });
});

function readable(key: string, value: Buffer): string {
  return key.startsWith('seen/') ? value.toString('hex') : value.toString();
}
