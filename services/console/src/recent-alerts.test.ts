import type { Bus, GroupPosition } from '@eyrie/platform/bus/bus';
import type { Clock } from '@eyrie/platform/clock';
import { createMetrics } from '@eyrie/platform/metrics';
import type { Alert, TenantId } from '@eyrie/schemas';
import { expect, it } from 'vitest';
import { type AlertFeed, FedAlert } from './alert-feed.ts';
import { createRecentAlerts } from './recent-alerts.ts';
import { anAlert } from './test-support/alert.ts';

const tenant = 'acme' as TenantId;

/** A feed fed by hand, and a clock whose sleepers wake when told. */
function setUp(limits?: { alerts: number; bytes: number }) {
  let listener: (partition: number, offset: number, fed: FedAlert | undefined) => void = () => {};
  const feed = {
    onPosition: (given: typeof listener) => {
      listener = given;
      return () => {};
    },
  } as unknown as AlertFeed;
  const position = { next: 0 };
  const bus = {
    groups: async () => [
      { group: 'archiver', topic: 'alerts', partition: 0, ...position, end: 0 } satisfies GroupPosition,
    ],
  } as unknown as Bus;
  const sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        sleepers.push(resolve);
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const metrics = createMetrics();
  const recent = createRecentAlerts({ feed, bus, clock, metrics }, limits);
  let offset = 0;
  return {
    recent,
    metrics,
    position,
    feed: (alert: Alert) => {
      listener(0, offset, new FedAlert(0, offset, JSON.stringify(alert)));
      offset += 1;
    },
    sweep: async () => {
      for (const wake of sleepers.splice(0)) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it('holds the highest version until the archiver has passed it, and one look longer', async () => {
  const { recent, feed, position, sweep } = setUp();
  const alert = anAlert('a');
  feed({ ...alert, version: 2 });
  feed(alert);
  expect(recent.get(tenant, alert.alert_id)?.version).toBe(2);
  await sweep();
  position.next = 1;
  await sweep();
  expect(recent.list(tenant)).toHaveLength(1);
  await sweep();
  expect(recent.list(tenant)).toHaveLength(0);
  recent.stop();
});

it('keeps its bound, counts the day, and loses the oldest', async () => {
  const { recent, feed, metrics } = setUp({ alerts: 2, bytes: 1e9 });
  for (const name of ['a', 'b', 'c']) feed(anAlert(name));
  expect(recent.list(tenant).map(({ alert_id }) => alert_id)).toEqual([anAlert('b').alert_id, anAlert('c').alert_id]);
  const [[labels, value] = []] = await metrics.read('eyrie_bound_reached_total');
  expect([labels, value]).toEqual([{ bound: 'console_recent_alerts' }, 1]);
  recent.stop();
});

it('wakes who waits for a version, and gives up with the clock', async () => {
  const { recent, feed, sweep } = setUp();
  const alert = anAlert('a');
  const waiting = recent.waitFor(tenant, alert.alert_id, ({ version }) => version === 3, 1_000);
  feed({ ...alert, version: 2 });
  feed({ ...alert, version: 3 });
  expect((await waiting)?.version).toBe(3);
  const vain = recent.waitFor(tenant, alert.alert_id, ({ version }) => version === 9, 1_000);
  await sweep();
  expect(await vain).toBeUndefined();
  recent.stop();
});
