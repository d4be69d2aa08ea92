import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { expect, it } from 'vitest';
import type { LedgerLine } from './core/owner/decision.ts';
import { LimitNotices } from './limit-notices.ts';

const MINUTE = 60_000;

function noticed() {
  const said: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void said.push(JSON.parse(line)) };
  const metrics = createMetrics();
  const notices = new LimitNotices(createLogger({ name: 'test', pretty: false, destination }), metrics);
  notices.tick(0);
  return { said, metrics, notices };
}

function lines(count: number, change: object = {}): LedgerLine[] {
  const line = { tenant: 'a', rule_id: 'r', mode: 'enforce', state: 'suppressed', reason: 'limit_rule', ...change };
  return Array.from({ length: count }, () => line as unknown as LedgerLine);
}

it('is one line when it begins, and one a minute with the count while it goes on', () => {
  const { said, notices } = noticed();
  for (let second = 0; second < 120; second += 1) {
    notices.add(lines(10));
    notices.tick(MINUTE + second * 1_000);
  }
  notices.tick(4 * MINUTE);
  notices.tick(5 * MINUTE);
  // It is over: what comes now is another time.
  notices.add(lines(1));
  notices.say();
  expect(said.map(({ suppressed }) => suppressed)).toEqual([undefined, 10, 600, 590, undefined, 1]);
});

it('tells tenants, rules and limits apart, and says nothing of other reasons', () => {
  const { said, notices } = noticed();
  for (const change of [{ tenant: 'b' }, { rule_id: 's' }, { reason: 'limit_node' }, { mode: 'dry_run' }]) {
    notices.add(lines(3, change));
  }
  notices.add([...lines(3, { reason: 'cooldown' }), ...lines(3, { state: 'denied' })]);
  expect(said).toHaveLength(4);
});

it('holds so many rules at most, and counts that there were more', async () => {
  const { said, metrics, notices } = noticed();
  for (let rule = 0; rule < 1_100; rule += 1) notices.add(lines(1, { rule_id: `r${rule}` }));
  expect(said).toHaveLength(1_000);
  expect(await metrics.read('eyrie_bound_reached_total')).toEqual([[{ bound: 'responder_limit_notices' }, 100]]);
});
