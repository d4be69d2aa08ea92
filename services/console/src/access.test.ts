import { createLogger } from '@eyrie/platform/log';
import { createMetrics } from '@eyrie/platform/metrics';
import { openChdb } from '@eyrie/platform/store/chdb';
import type { Store } from '@eyrie/platform/store/store';
import { encodeRawFrame, nanosOfMs, SCOPES, type Scope, type TenantId } from '@eyrie/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAlert } from './test-support/alert.ts';
import { type Harness, type Json, startConsole } from './test-support/harness.ts';
import { alertRow, eventRow, insertRows } from './test-support/rows.ts';

const runs = 60 * Number(process.env['EYRIE_TEST_RUNS'] ?? 1);
const TENANTS = ['acme', 'other'] as const;
type Tenant = (typeof TENANTS)[number];
const UNKNOWN = '0'.repeat(32);
const OPERATOR = 'house' as TenantId;
const FAR = '2036-01-01T00:00:00Z';

let harness: Harness;
let store: Store;
const tokens: Record<string, string> = {};

const eventId = (tenant: Tenant) => (tenant === 'acme' ? 'a' : 'b').repeat(32);
const archived = (tenant: Tenant) => named(tenant, 'archived');
const live = (tenant: Tenant) => named(tenant, 'live');

/** Everything of a tenant carries its name, so that a leak shows as text. */
function named(tenant: Tenant, name: string) {
  return anAlert(`${tenant}-${name}`, {
    tenant,
    rule: `rule of ${tenant}`,
    identity: { namespace: 'shared', workload: 'shared', pod: `${tenant}-pod`, image: `${tenant}/image` },
    partition: 0,
    opening_event_id: eventId(tenant) as never,
  });
}

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
    operator: OPERATOR,
    explain: {
      matches: (matchers, event) => matchers.every(({ value }) => value === event.rule),
      rules: () => [{ rule_id: 'quarantine', fired: false, first_false: 'priority' }],
    },
  });
  // A record nobody could read: it may hold anything of anybody.
  await insertRows(store, 'dead_letter_records', [aLetter('', '', 'acme and other')]);
  for (const tenant of TENANTS) {
    tokens[tenant] = await harness.token(tenant);
    const section = { tenant, cluster: 'c1', received_at: 1, origin: 'http', lines: 1 } as never;
    await harness.bus.append([
      {
        topic: 'raw',
        partition: 0,
        value: encodeRawFrame([{ meta: section, block: Buffer.from(`{"of":"${tenant}"}\n`) }]),
      },
    ]);
    await insertRows(store, 'alert_versions', [alertRow(archived(tenant))]);
    await harness.publish(live(tenant));
    const offset = tenant === 'acme' ? 0 : 1;
    const place = { raw_log: harness.bus.logIdentity('raw', 0), raw_offset: offset, raw_index: 0 };
    const over = {
      ...place,
      rule: `rule of ${tenant}`,
      namespace: 'shared',
      pod: `${tenant}-pod`,
      alert_id: archived(tenant).alert_id,
    };
    await insertRows(store, 'events', [eventRow(tenant, eventId(tenant), over)]);
    await insertRows(store, 'action_versions', [
      {
        tenant,
        cluster: 'c1',
        intent_key: `intent-${tenant}`,
        version: 1,
        state: 'simulated',
        reason: 'dry_run',
        rule_id: `response-${tenant}`,
        action: 'tell',
        alert_id: archived(tenant).alert_id,
        target: `${tenant}-target`,
        at: '2026-10-20 12:00:02.000',
      },
    ]);
    await insertRows(store, 'dead_letter_records', [aLetter(tenant, 'c1', tenant)]);
    await insertRows(store, 'health_records', [
      {
        tenant,
        cluster: 'c1',
        key: `h-${tenant}`,
        kind: 'heartbeat',
        node: `${tenant}-node`,
        time: '2026-10-20 12:00:00.000',
        received_at: '2026-10-20 12:00:00.000',
      },
    ]);
    await harness.call(tokens[tenant] ?? '', 'POST', '/v1/documents/silence', {
      id: 'shared-id',
      body: {
        matchers: [{ field: 'rule', op: '=', value: `rule of ${tenant}` }],
        ends_at: FAR,
        comment: `by ${tenant}`,
      },
    });
    await harness.call(tokens[tenant] ?? '', 'POST', '/v1/workloads', aWorkload(`${tenant}-pod`));
  }
}, 120_000);
afterAll(() => harness?.stop());

function aLetter(tenant: string, cluster: string, of: string) {
  return {
    tenant,
    cluster,
    key: `key-${tenant}`,
    stage: 'prepare',
    reason: 'not_json',
    message: `line of ${of}`,
    at: '2026-10-20 12:00:00.000',
    raw_log: 'log',
    raw_partition: 0,
    raw_offset: 9,
    raw_index: 0,
    bytes: 3,
    head: Buffer.from(`${of}-head`).toString('base64'),
  };
}

function aWorkload(pod: string) {
  return {
    cluster: 'c1',
    uid: `uid-${pod}`,
    namespace: 'shared',
    pod,
    owner: { kind: 'Deployment', name: 'shared' },
    containers: [],
    observed_at: 1_000,
  };
}

/** Every reading request that could name something of a tenant. */
function readsOf(tenant: Tenant): string[] {
  return [
    '/v1/alerts',
    '/v1/alerts?sort=last_seen',
    `/v1/alerts?rule=${encodeURIComponent(`rule of ${tenant}`)}`,
    `/v1/alerts?q=${tenant}-pod`,
    '/v1/alerts?workload=shared',
    `/v1/alerts/${archived(tenant).alert_id}`,
    `/v1/alerts/${live(tenant).alert_id}`,
    '/v1/events',
    '/v1/events?raw=true',
    `/v1/events?pod=${tenant}-pod`,
    `/v1/events?alert_id=${archived(tenant).alert_id}`,
    `/v1/events/${eventId(tenant)}`,
    `/v1/why/${eventId(tenant)}`,
    `/v1/why/${archived(tenant).alert_id}`,
    `/v1/why/shared/${tenant}-pod`,
    `/v1/why/c1/shared/${tenant}-pod`,
    `/v1/why/raw/0/${tenant === 'acme' ? 0 : 1}/0`,
    '/v1/why/raw/0/9/0',
    '/v1/actions',
    `/v1/actions?alert_id=${archived(tenant).alert_id}`,
    `/v1/actions/intent-${tenant}`,
    '/v1/documents/silence',
    '/v1/documents/silence/shared-id',
    '/v1/tokens',
    '/v1/workloads',
    '/v1/metrics/monthly-alerts',
    '/v1/coverage?from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z',
    '/v1/health',
    '/v1/dead-letters?raw=true',
  ];
}

describe('tenants', () => {
  const others: Record<Tenant, Tenant> = { acme: 'other', other: 'acme' };

  it('never see anything of each other, whatever they ask', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TENANTS),
        fc.constantFrom(...TENANTS),
        fc.nat(28),
        async (asker, subject, index) => {
          const path = readsOf(subject)[index] ?? '';
          const { status, body } = await harness.call(tokens[asker] ?? '', 'GET', path);
          expect([path, status === 200 || status === 404]).toEqual([path, true]);
          const text = JSON.stringify(body);
          // The path of a refused request is its own words.
          const said = status === 404 ? JSON.stringify(body.error.code) : text;
          expect([path, said.includes(others[asker])]).toEqual([path, false]);
          expect(said).not.toContain(archived(others[asker]).alert_id);
          expect(said).not.toContain(Buffer.from(`${others[asker]}-head`).toString('base64'));
        },
      ),
      { numRuns: runs },
    );
  });

  it('see their own by the very same requests (or the test above would prove nothing)', async () => {
    const unnamed = new Set(['/v1/tokens', '/v1/metrics/monthly-alerts']);
    for (const tenant of TENANTS) {
      for (const path of readsOf(tenant)) {
        const { status, body } = await harness.call(tokens[tenant] ?? '', 'GET', path);
        expect([path, status]).toEqual([path, 200]);
        if (!unnamed.has(path)) expect([path, JSON.stringify(body).includes(tenant)]).toEqual([path, true]);
      }
    }
  });

  it('cannot write to each other', async () => {
    const acme = tokens['acme'] ?? '';
    const verdict = await harness.call(acme, 'POST', `/v1/alerts/${archived('other').alert_id}/verdict`, {
      status: 'dismissed',
    });
    expect(verdict.status).toBe(404);
    await harness.call(acme, 'DELETE', '/v1/documents/silence/shared-id');
    expect((await harness.call(tokens['other'] ?? '', 'GET', '/v1/documents/silence/shared-id')).status).toBe(200);
    const given = await harness.call(acme, 'POST', '/v1/workloads', { ...aWorkload('x'), tenant: 'other' });
    expect(given.body).toMatchObject({ accepted: 0, rejected: [{ index: 0 }] });
  });

  it('and a token of one cluster sees no other', async () => {
    const bound = await harness.token('acme', SCOPES, 'c2');
    for (const path of readsOf('acme')) {
      const { status, body } = await harness.call(bound, 'GET', path);
      expect([path, [200, 403, 404].includes(status)]).toEqual([path, true]);
      const said = status === 200 ? JSON.stringify(body) : '';
      const isShared = path.startsWith('/v1/documents') || path.startsWith('/v1/tokens');
      if (!isShared) expect([path, said.includes('acme')]).toEqual([path, false]);
    }
  });

  it('nor documents and tokens that are of another alone', async () => {
    const [free, bound] = [await harness.token('acme'), await harness.token('acme', SCOPES, 'c2')];
    const silence = (id: string, cluster: string) => ({
      id,
      body: { matchers: [{ field: 'cluster', op: '=', value: cluster }], ends_at: FAR, comment: 'x' },
    });
    for (const cluster of ['c1', 'c2']) {
      expect(
        (await harness.call(free, 'POST', '/v1/documents/silence', silence(`of-${cluster}`, cluster))).status,
      ).toBe(200);
    }
    const ids = async (token: string) =>
      (await harness.call(token, 'GET', '/v1/documents/silence')).body.items.map(({ id }: Json) => id);
    expect(await ids(free)).toEqual(expect.arrayContaining(['of-c1', 'of-c2']));
    expect(await ids(bound)).toContain('of-c2');
    expect(await ids(bound)).not.toContain('of-c1');
    expect((await harness.call(bound, 'GET', '/v1/documents/silence/of-c1')).status).toBe(404);
    const { items } = (await harness.call(bound, 'GET', '/v1/tokens')).body;
    expect(new Set(items.map(({ cluster }: Json) => cluster))).toEqual(new Set(['c2']));
  });

  it('nor makes tokens of another tenant', async () => {
    const token = await harness.token('acme');
    const { status } = await harness.call(token, 'POST', '/v1/tokens', {
      name: 'x',
      tenant: 'other',
      scopes: ['read'],
    });
    expect(status).toBe(403);
  });

  it('nor hides or revokes anything of another', async () => {
    const bound = await harness.token('acme', SCOPES, 'c2');
    const silence = (id: string, ...clusters: string[]) => ({
      id,
      body: {
        matchers: [
          { field: 'rule', op: '=', value: 'r' },
          ...clusters.map((value) => ({ field: 'cluster', op: '=', value })),
        ],
        ends_at: FAR,
        comment: 'c',
      },
    });
    const post = async (token: string, document: object) =>
      (await harness.call(token, 'POST', '/v1/documents/silence', document)).status;
    expect(await post(bound, silence('everywhere'))).toBe(403);
    expect(await post(bound, silence('there', 'c1'))).toBe(403);
    expect(await post(bound, silence('here', 'c2'))).toBe(200);
    expect(await post(tokens['acme'] ?? '', silence('everywhere'))).toBe(200);
    expect(await post(bound, silence('everywhere', 'c2'))).toBe(403);
    const remove = async (path: string) => (await harness.call(bound, 'DELETE', path)).status;
    expect(await remove('/v1/documents/silence/everywhere')).toBe(403);
    expect(await remove('/v1/documents/silence/here')).toBe(200);
    expect(await remove('/v1/tokens/t1')).toBe(403);
  });
});

describe('scopes', () => {
  const alert = () => archived('acme').alert_id;
  const routes: readonly [method: string, path: () => string, scope: Scope][] = [
    ['GET', () => '/v1/alerts', 'read'],
    ['GET', () => `/v1/alerts/${alert()}`, 'read'],
    ['POST', () => `/v1/alerts/${UNKNOWN}/verdict`, 'triage'],
    ['GET', () => '/v1/events', 'read'],
    ['GET', () => `/v1/events/${UNKNOWN}`, 'read'],
    ['GET', () => `/v1/why/${UNKNOWN}`, 'read'],
    ['GET', () => '/v1/documents/silence', 'read'],
    ['GET', () => '/v1/documents/silence/x', 'read'],
    ['POST', () => '/v1/documents/silence', 'triage'],
    ['DELETE', () => '/v1/documents/silence/x', 'triage'],
    ['GET', () => '/v1/tokens', 'admin'],
    ['POST', () => '/v1/tokens', 'admin'],
    ['DELETE', () => '/v1/tokens/x', 'admin'],
    ['GET', () => '/v1/actions', 'read'],
    ['GET', () => '/v1/actions/x', 'read'],
    ['POST', () => '/v1/actions/x/undo', 'respond'],
    ['GET', () => '/v1/approvals', 'read'],
    ['POST', () => `/v1/approvals/${UNKNOWN}`, 'respond'],
    ['GET', () => '/v1/breaker', 'read'],
    ['POST', () => '/v1/breaker/reset', 'respond'],
    ['GET', () => '/v1/metrics/monthly-alerts', 'read'],
    ['GET', () => '/v1/coverage?from=2026-10-01T00:00:00Z&to=2026-10-02T00:00:00Z', 'read'],
    ['GET', () => '/v1/health', 'read'],
    ['POST', () => '/v1/workloads', 'inventory'],
    ['GET', () => '/v1/workloads', 'read'],
    ['GET', () => '/v1/stream?last_event_id=bad', 'read'],
    ['GET', () => '/v1/dead-letters', 'admin'],
    ['GET', () => '/metrics', 'read'],
  ];

  it.each(SCOPES)('%s opens its routes and no other', async (scope) => {
    const token = await harness.token('acme', [scope]);
    for (const [method, path, wanted] of routes) {
      const { status } = await harness.call(token, method, path(), method === 'POST' ? {} : undefined);
      const isOpen = status !== 403 && status !== 401;
      expect([method, path(), isOpen]).toEqual([method, path(), scope === wanted]);
    }
  });

  it('lets the operator alone verify the ledger, which holds lines of all tenants', async () => {
    const statusFor = async (token: string) => (await harness.call(token, 'GET', '/v1/ledger/verify')).status;
    expect(await statusFor(await harness.token('acme', ['admin']))).toBe(403);
    expect(await statusFor(await harness.token(OPERATOR, ['read']))).toBe(403);
    expect(await statusFor(await harness.token(OPERATOR, ['admin'], 'c1'))).toBe(403);
    expect(await statusFor(await harness.token(OPERATOR, ['admin']))).toBe(200);
  });

  it('shows what waits to its own tenant and cluster, and takes the word of persons alone', async () => {
    const word = { decision: 'approve', plan_hash: UNKNOWN };
    const service = await harness.token('acme', ['respond']);
    expect((await harness.call(service, 'POST', `/v1/approvals/${UNKNOWN}`, word)).status).toBe(403);
    await insertRows(store, 'action_versions', [
      {
        tenant: 'acme',
        cluster: 'c1',
        intent_key: 'w',
        version: 1,
        state: 'awaiting_approval',
        plan: UNKNOWN,
        partition: 0,
      },
    ]);
    const seen = async (token: string) => (await harness.call(token, 'GET', '/v1/approvals')).body.items.length;
    expect(await seen(tokens['acme'] ?? '')).toBe(1);
    expect(await seen(await harness.token('acme', ['read'], 'c1'))).toBe(1);
    expect(await seen(await harness.token('acme', ['read'], 'c2'))).toBe(0);
    expect(await seen(tokens['other'] ?? '')).toBe(0);
  });

  it('covers every route of the OpenAPI document', async () => {
    const { body } = await harness.call(tokens['acme'] ?? '', 'GET', '/openapi.json');
    const documented = Object.entries(body.paths as Record<string, Json>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}|\*/g, 'x')}`),
    );
    const tested = routes.map(([method, path]) => {
      const [bare = ''] = path().split('?');
      return `${method} ${bare.replace(/[0-9a-f]{32}/, 'x').replace('/documents/silence', '/documents/x')}`;
    });
    // The operator's alone, whatever the scope: below.
    const known = new Set([...tested, 'GET /v1/ledger/verify']);
    for (const route of documented) expect([route, known.has(route)]).toEqual([route, true]);
    expect(documented.length).toBeGreaterThan(20);
  });

  it('nothing answers without a token, and a revoked one is none', async () => {
    for (const [method, path] of routes) {
      const { status } = await harness.call('eyrie_wrong', method, path(), method === 'POST' ? {} : undefined);
      expect([path(), status]).toEqual([path(), 401]);
    }
    const made = await harness.call(tokens['acme'] ?? '', 'POST', '/v1/tokens', { name: 'ci', scopes: ['read'] });
    expect(made.status).toBe(200);
    expect((await harness.call(made.body.token, 'GET', '/v1/alerts')).status).toBe(200);
    expect(
      (await harness.call(tokens['acme'] ?? '', 'POST', '/v1/tokens', { name: 'ci', scopes: ['read'] })).status,
    ).toBe(409);
    expect((await harness.call(tokens['acme'] ?? '', 'DELETE', '/v1/tokens/ci')).status).toBe(200);
    expect((await harness.call(made.body.token, 'GET', '/v1/alerts')).status).toBe(401);
    expect(harness.lines.join('')).not.toContain(made.body.token);
  });
});

describe('blind time', () => {
  // Health records are kept for a season: fixed dates would be removed as they come in.
  const recent = Date.now() - 3_600_000;
  const earlier = recent - 40 * 86_400_000;
  const health = (tenant: string, kind: string, key: string, count: number, at = recent, cluster = 'c1') => {
    const time = new Date(at).toISOString().slice(0, 23).replace('T', ' ');
    return { tenant, cluster, key, kind, time, received_at: time, count };
  };
  const coverageAt = async (token: string, at: number) => {
    const [from, to] = [at - 60_000, at + 60_000].map((time) => new Date(time).toISOString());
    return (await harness.call(token, 'GET', `/v1/coverage?from=${from}&to=${to}`)).body.total;
  };

  it('counts what was refused to the tenant and what the log lost, once, within the span', async () => {
    const refused = health('acme', 'refused', 'r1', 3);
    // One insert each: the second holds what is written again after a crash.
    await insertRows(store, 'health_records', [refused]);
    await insertRows(store, 'health_records', [
      refused,
      health('acme', 'refused', 'r2', 4, recent, 'unknown'),
      health('acme', 'refused', 'r3', 50, earlier),
      health('acme', 'over_quota', 'q1', 600),
      health('other', 'refused', 'r1', 7_000),
      health('eyrie', 'loss', 'l1', 11, recent, 'eyrie'),
    ]);
    await insertRows(store, 'alert_versions', [
      alertRow({ ...named('acme', 'recent'), opened_at: nanosOfMs(recent), state: 'closed' }),
    ]);
    const acme = tokens['acme'] ?? '';
    expect(await coverageAt(acme, recent)).toMatchObject({ refused_requests: 7, lost_records: 11 });
    expect(await coverageAt(acme, earlier)).toMatchObject({ refused_requests: 50, lost_records: 0 });
    const bound = await harness.token('acme', SCOPES, 'c1');
    expect(await coverageAt(bound, recent)).toMatchObject({ refused_requests: 3, lost_records: 11 });
    const { body } = await harness.call(acme, 'GET', '/v1/metrics/monthly-alerts');
    const month = body.items.find((item: Json) => item.month === new Date(recent).toISOString().slice(0, 7));
    expect(month.coverage).toMatchObject({ refused_requests: 7, lost_records: 11 });
  });
});

describe('a misspelt field', () => {
  it('is refused with the names there are, in silences and exceptions', async () => {
    const matchers = [{ field: 'nmespace', op: '!=', value: 'kube-system' }];
    for (const [kind, end] of [
      ['silence', 'ends_at'],
      ['exception', 'expires_at'],
    ] as const) {
      const { status, body } = await harness.call(tokens['acme'] ?? '', 'POST', `/v1/documents/${kind}`, {
        body: { matchers, [end]: FAR, comment: 'x' },
      });
      expect(status).toBe(400);
      expect(body.error.message).toMatch(/matchers\/0\/field: must be one of .*namespace/);
    }
  });
});

describe('bad input', () => {
  const silence = (body: unknown) => ['POST', '/v1/documents/silence', { body }] as const;
  const matchers = [{ field: 'rule', op: '=', value: 'x' }];
  const cases: readonly (readonly [method: string, path: string, body?: unknown])[] = [
    ['GET', '/v1/alerts?limit=0'],
    ['GET', '/v1/alerts?limit=501'],
    ['GET', '/v1/alerts?limit=x'],
    ['GET', '/v1/alerts?sort=rule'],
    ['GET', '/v1/alerts?state=gone'],
    ['GET', '/v1/alerts?from=yesterday'],
    ['GET', '/v1/alerts?from=2026-02-31T00:00:00Z'],
    ['GET', '/v1/alerts?cursor=rubbish'],
    ['GET', `/v1/alerts?cursor=${Buffer.from('["events","2026-10-20T12:00:00Z","x"]').toString('base64url')}`],
    ['GET', `/v1/alerts?cursor=${Buffer.from('["alerts/opened_at","no time","x"]').toString('base64url')}`],
    ['GET', '/v1/alerts?unknown=1'],
    ['GET', '/v1/alerts/short'],
    ['GET', `/v1/alerts/${'g'.repeat(32)}`],
    ['POST', `/v1/alerts/${UNKNOWN}/verdict`, { status: 'whatever' }],
    ['POST', `/v1/alerts/${UNKNOWN}/verdict`, {}],
    ['POST', `/v1/alerts/${UNKNOWN}/verdict`, [1]],
    ['POST', `/v1/alerts/${UNKNOWN}/verdict`, { status: 'new', tenant: 'other' }],
    ['GET', '/v1/events?alert_id=x'],
    ['GET', '/v1/events?raw=perhaps'],
    ['GET', '/v1/events/nothex'],
    ['GET', '/v1/why/'],
    ['GET', '/v1/why/%27%3B%20DROP%20TABLE%20eyrie.alerts'],
    ['GET', '/v1/why/raw/0/1'],
    ['GET', '/v1/documents/weather'],
    ['GET', '/v1/documents/token'],
    ['POST', '/v1/documents/token', { body: {} }],
    ['GET', '/v1/documents/silence/UPPER'],
    silence({ matchers: [], ends_at: FAR, comment: 'x' }),
    silence({ matchers, ends_at: '2020-01-01T00:00:00Z', comment: 'x' }),
    silence({ matchers, starts_at: '2037-01-01T00:00:00Z', ends_at: FAR, comment: 'x' }),
    silence({ matchers, ends_at: FAR }),
    silence({ matchers: [{ field: 'rule', op: 'regex', value: 'x' }], ends_at: FAR, comment: 'x' }),
    silence({ matchers: [{ field: 'nmespace', op: '!=', value: 'x' }], ends_at: FAR, comment: 'x' }),
    silence({ matchers: [{ field: 'rule', op: 'in', value: 'x' }], ends_at: FAR, comment: 'x' }),
    silence({ matchers: [{ field: 'rule', op: '=', value: ['x'] }], ends_at: FAR, comment: 'x' }),
    silence(null),
    ['POST', '/v1/documents/exception', { body: { matchers, expires_at: 'soon', comment: 'x' } }],
    ['DELETE', '/v1/documents/silence/x?expected_version=-1'],
    ['POST', '/v1/tokens', { name: 'Upper', scopes: ['read'] }],
    ['POST', '/v1/tokens', { name: 'x', scopes: [] }],
    ['POST', '/v1/tokens', { name: 'x', scopes: ['root'] }],
    ['POST', '/v1/tokens', { name: 'x', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }],
    ['GET', '/v1/actions?state='],
    ['GET', '/v1/metrics/monthly-alerts?from=2026-13'],
    ['GET', '/v1/coverage'],
    ['GET', '/v1/coverage?from=2026-10-02T00:00:00Z&to=2026-10-01T00:00:00Z'],
    ['GET', '/v1/coverage?from=2020-10-02T00:00:00Z&to=2026-10-01T00:00:00Z'],
    ['GET', '/v1/health?kind='],
    ['GET', '/v1/dead-letters?limit=-1'],
    ['GET', '/v1/stream?include=everything'],
    ['POST', '/v1/workloads', 7],
  ];

  it.each(cases.map(([method, path, body]) => ({ method, path, body })))(
    '$method $path answers 400 with a code, and says where',
    async ({ method, path, body }) => {
      const answer = await harness.call(tokens['acme'] ?? '', method, path, body);
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('EYRIE_HTTP_BAD_REQUEST');
      expect(answer.body.error.message).toMatch(/querystring|params|body|header|Last-Event-ID|JSON/i);
      expect(answer.body.error.requestId).toMatch(/./);
    },
  );

  it('spoils no neighbour among workloads', async () => {
    const lines = [
      JSON.stringify(aWorkload('good-1')),
      'no json',
      JSON.stringify({ ...aWorkload('bad'), uid: '' }),
      JSON.stringify({ ...aWorkload('bad'), observed_at: 9e12 }),
      JSON.stringify({ ...aWorkload('bad'), cluster: undefined }),
      JSON.stringify(aWorkload('good-2')),
    ];
    const { status, body } = await harness.call(tokens['acme'] ?? '', 'POST', '/v1/workloads', lines.join('\n'));
    expect([status, body.accepted, body.rejected.map(({ index }: Json) => index)]).toEqual([200, 2, [1, 2, 3, 4]]);
    const listed = await harness.call(tokens['acme'] ?? '', 'GET', '/v1/workloads?limit=500');
    expect(listed.body.items.map(({ pod }: Json) => pod)).toEqual(expect.arrayContaining(['good-1', 'good-2']));
  });

  it('tells a conflict of two authors', async () => {
    const body = { matchers, ends_at: FAR, comment: 'mine' };
    const put = (expected_version: number) =>
      harness.call(tokens['acme'] ?? '', 'POST', '/v1/documents/silence', { id: 'contested', expected_version, body });
    const answers = await Promise.all([put(0), put(0), put(0)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect((await put(1)).body).toMatchObject({ version: 2, body: { ends_at: '2036-01-01T00:00:00.000Z' } });
  });
});

describe('dead letters of no tenant', () => {
  const seenBy = async (tenant: string, cluster = '*') => {
    const token = await harness.token(tenant, SCOPES, cluster);
    const { body } = await harness.call(token, 'GET', '/v1/dead-letters');
    return body.items.map(({ text }: Json) => text);
  };

  it('are seen by the operator, and by nobody who is bound to a cluster or is another tenant', async () => {
    expect(await seenBy(OPERATOR)).toEqual(['acme and other-head']);
    expect(await seenBy(OPERATOR, 'c1')).toEqual([]);
    expect(await seenBy('acme')).toEqual(['acme-head']);
  });
});

describe('why', () => {
  it('tells the trail of an event, from its line to the first false condition of a rule', async () => {
    const token = tokens['other'] ?? '';
    const { body } = await harness.call(token, 'GET', `/v1/why/${eventId('other')}`);
    expect(body.trail.map(({ step }: Json) => step)).toEqual([
      'received',
      'prepare',
      'judge',
      'join',
      'score',
      'alert',
      'documents',
      'rules',
      'rules',
      'actions',
    ]);
    expect(body.raw).toMatchObject({ partition: 0, offset: 1, index: 0, line: '{"of":"other"}' });
    expect(body.documents).toMatchObject([{ id: 'shared-id', matched: true, active: false }]);
    expect(body.rules).toContainEqual({ rule_id: 'quarantine', fired: false, first_false: 'priority' });
    expect(body.rules).toContainEqual({ rule_id: 'response-other', fired: true });
  });

  it('finds a line that became no event by its position, with its dead letter', async () => {
    const { body } = await harness.call(tokens['other'] ?? '', 'GET', '/v1/why/raw/0/9/0');
    expect(body.dead_letters).toMatchObject([{ reason: 'not_json', text: 'other-head', raw_pos: { offset: 9 } }]);
  });
});
