import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { type Alert, nanosOfMs, type VerdictCommand } from '@eyrie/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAlert, T0 } from './test-support/alert.ts';
import { type Harness, type Json, signer, startConsole } from './test-support/harness.ts';
import { alertRow, eventRow, insertRows } from './test-support/rows.ts';

/** Patient: the machine may be busy. */
const poll = <T>(read: () => T, options = { timeout: 20_000 }) => expect.poll(read, options);

const runs = 15 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const id = (letter: string) => letter.repeat(32);

let harness: Harness;
let store: Store;
let acme: string;

/** Forty alerts of two tenants: some archived, some only in the log, some archived with a newer version in the log. */
const alerts: Alert[] = Array.from({ length: 40 }, (_, i) =>
  anAlert(`alert-${i}`, {
    tenant: i % 4 === 3 ? 'other' : 'acme',
    opened_at: nanosOfMs(T0 + Math.floor(i / 3)),
    last_seen: nanosOfMs(T0 + ((i * 7) % 40) * 1000),
    rule: i % 2 === 0 ? 'Even rule' : 'Odd rule',
    opening_seq: i + 1,
    identity: { namespace: `ns-${i % 3}`, workload: 'cart', pod: `${i % 4 === 3 ? 'other' : 'acme'}-pod-${i}` },
  }),
);

beforeAll(async () => {
  harness = await startConsole({
    store: async (dataDir) => {
      store = await openChdb({
        dataDir,
        log: createLogger({ name: 'test', level: 'silent' }),
        metrics: createMetrics(),
        // The rows carry fixed dates, and must not leave one day.
        retention: { eventsDays: 3_650, versionsDays: 3_650, healthDays: 3_650 },
      });
      await store.migrate();
      return store;
    },
  });
  acme = await harness.token('acme');
  await insertRows(store, 'alert_versions', alerts.filter((_, i) => i % 5 !== 0).map(alertRow));
  await harness.publish(
    ...alerts.filter((_, i) => i % 5 === 0),
    ...alerts
      .filter((_, i) => i % 5 === 1)
      .map((alert) => ({ ...alert, version: 2, change: 'count' as const, count: 2 })),
  );
  await insertRows(store, 'events', [
    ...['a', 'b', 'c', 'd', 'e'].map((letter) => eventRow('acme', id(letter), { alert_id: alerts[1]?.alert_id ?? '' })),
    eventRow('other', id('f')),
  ]);
  while ((await harness.call(acme, 'GET', `/v1/alerts/${alerts[0]?.alert_id}`)).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}, 120_000);
afterAll(() => harness?.stop());

async function pages(token: string, path: string, limit: number): Promise<Json[]> {
  const items: Json[] = [];
  for (let cursor = ''; ; ) {
    const separator = path.includes('?') ? '&' : '?';
    const { status, body } = await harness.call(token, 'GET', `${path}${separator}limit=${limit}${cursor}`);
    expect([path, status, body.error]).toEqual([path, 200, undefined]);
    items.push(...body.items);
    if (body.next_cursor === undefined) return items;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

describe('alerts', () => {
  it('gives every alert exactly once, whatever the page and the sort, archived or not', async () => {
    const own = alerts.filter(({ tenant }) => tenant === 'acme');
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom('opened_at' as const, 'last_seen' as const),
        fc.constantFrom(undefined, 'Even rule', 'Odd rule'),
        async (limit, sort, rule) => {
          const query = rule === undefined ? '' : `&rule=${encodeURIComponent(rule)}`;
          const found = await pages(acme, `/v1/alerts?sort=${sort}${query}`, limit);
          const wanted = own.filter((alert) => rule === undefined || alert.rule === rule);
          expect(found.map((alert) => alert.alert_id).sort()).toEqual(wanted.map((alert) => alert.alert_id).sort());
          const times = found.map((alert) => alert[sort]);
          expect(times).toEqual([...times].sort().reverse());
        },
      ),
      { numRuns: runs },
    );
  });

  it('stays exact while alerts are opened between the pages', async () => {
    const first = await harness.call(acme, 'GET', '/v1/alerts?limit=10');
    await harness.publish(anAlert('newer', { opened_at: nanosOfMs(T0 + 10 ** 6), rule: 'Newer' }));
    await poll(async () => (await pages(acme, '/v1/alerts?rule=Newer', 5)).length).toBe(1);
    const rest = await pages(acme, `/v1/alerts?cursor=${first.body.next_cursor}`, 500);
    expect(first.body.items.length + rest.length).toBe(30);
  });

  it('shows the version of the log where ClickHouse has an older one', async () => {
    const changed = alerts.filter((alert, i) => i % 5 === 1 && alert.tenant === 'acme');
    for (const { alert_id } of changed) {
      const { body } = await harness.call(acme, 'GET', `/v1/alerts/${alert_id}`);
      expect(body.alert).toMatchObject({ version: 2, count: 2 });
      expect(body.versions.map(({ version }: Json) => version)).toEqual([2, 1]);
    }
  });

  it('filters by what it is asked, in the log as in ClickHouse', async () => {
    for (const query of ['namespace=ns-1', 'q=POD-1', 'state=open', 'band=page', 'to=2026-10-20T12:00:00.004Z']) {
      const found = await pages(acme, `/v1/alerts?${query}`, 7);
      const [name = '', value = ''] = query.split('=');
      const wanted = alerts.filter(
        ({ tenant, identity, opened_at }) =>
          tenant === 'acme' &&
          (name !== 'namespace' || identity.namespace === value) &&
          (name !== 'q' || identity.pod?.includes('pod-1') === true) &&
          (name !== 'to' || opened_at < nanosOfMs(T0 + 4)),
      );
      expect([query, found.filter(({ rule }) => rule !== 'Newer').length]).toEqual([query, wanted.length]);
    }
    expect(await pages(acme, '/v1/alerts?status=dismissed', 7)).toEqual([]);
  });

  it('shows its events, masked, with exact times', async () => {
    const { body } = await harness.call(acme, 'GET', `/v1/alerts/${alerts[1]?.alert_id}`);
    expect(body.events).toHaveLength(5);
    expect(body.events[0].time).toBe('2026-10-20T12:00:00.123456789Z');
    expect(JSON.stringify(body)).not.toContain('hunter2secret');
  });
});

describe('verdict', () => {
  it('reaches the judge signed, with the stored alert, and answers with the new version', async () => {
    const alert = anAlert('to-judge', { tenant: 'verdicts' });
    const token = await harness.token('verdicts', ['triage']);
    await insertRows(store, 'alert_versions', [alertRow(alert)]);
    const { end: from } = await harness.bus.bounds('commands', 0);
    const answer = harness.call(token, 'POST', `/v1/alerts/${alert.alert_id}/verdict`, {
      status: 'dismissed',
      verdict: 'benign',
      note: 'known',
    });
    await poll(async () => (await harness.bus.read('commands', 0, from)).length).toBe(1);
    const [record] = await harness.bus.read('commands', 0, from);
    const value = record?.value ?? Buffer.alloc(0);
    expect(signer.isSealed(value)).toBe(true);
    const command = JSON.parse(value.toString()) as VerdictCommand;
    expect(command).toMatchObject({
      kind: 'verdict',
      tenant: 'verdicts',
      status: 'dismissed',
      stored: { alert_id: alert.alert_id },
    });
    expect(record?.key).toBe(alert.routing_key);
    await harness.publish({
      ...alert,
      version: 2,
      change: 'verdict',
      disposition: 'suppressed',
      triage: { status: 'dismissed', verdict: 'benign', by: command.by, at: command.at },
    });
    const { status, body } = await answer;
    expect(status).toBe(200);
    expect(body).toMatchObject({ command_id: command.id, alert: { version: 2, triage: { status: 'dismissed' } } });
  });

  it('answers 202 when the judge takes its time', async () => {
    const { status, body } = await harness.call(acme, 'POST', `/v1/alerts/${alerts[2]?.alert_id}/verdict`, {
      status: 'in_review',
    });
    expect([status, body.alert]).toEqual([202, undefined]);
  });
});

describe('raw values', () => {
  it('come with their scope only, and leave a line', async () => {
    const reader = await harness.token('acme', ['read']);
    const path = `/v1/events/${id('a')}`;
    const masked = await harness.call(reader, 'GET', path);
    expect(masked.status).toBe(200);
    expect(masked.body.raw_pos).toEqual({ log: 'log', partition: 0, offset: 7, index: 2 });
    expect(JSON.stringify(masked.body)).not.toContain('hunter2secret');
    expect((await harness.call(reader, 'GET', `${path}?raw=true`)).status).toBe(403);
    expect((await harness.call(reader, 'GET', '/v1/events?raw=true')).status).toBe(403);
    const before = harness.lines.length;
    const whole = await harness.call(acme, 'GET', `${path}?raw=true`);
    expect(whole.body.raw).toContain('hunter2secret');
    expect(harness.lines.slice(before).join('')).toContain('raw values read');
  });

  it('are paged without loss', async () => {
    const found = await pages(acme, '/v1/events', 2);
    expect(found.map((event) => event.event_id)).toEqual(['e', 'd', 'c', 'b', 'a'].map(id));
  });
});
